# Two commands: `make demo` runs the main job, `make test` passes the tests. Each sets up what it needs.
#
#   make demo [LEADER=your.bvh]    the whole chain in a headless Blender; results in build/demo
#   make test                      every check; the last line says how many passed, failed, were skipped
#   make gallery [NAMES=...]      the sheets of docs/gallery.md, from examples/requests
#   make zip [ALL=1]               the extension's zip for this platform (for every platform) in dist
#   make evaluate [DATA=FOLDER]    the weights on motion they never saw: a table, and build/evaluate/report.json
#   make env                       the environments alone
#   make torch                     PyTorch into the environment, for training
#   make bench [CPU=1]             speed and memory as ratios in one run, with PyTorch; report in build/bench
#   make clean                     removes what was built, keeps the environments and the fetched wheels

PYTHON := .venv/bin/python

.NOTPARALLEL:
.PHONY: env torch zip demo gallery evaluate test lint clean

env:
	@sh tools/setup_env.sh

torch:
	@MOTIONDIFF_TORCH=1 sh tools/setup_env.sh base

zip:
	@sh tools/setup_env.sh base
	@$(PYTHON) -m tools.fetch_wheels $(if $(ALL),--all)
	@$(PYTHON) -m tools.build_zip $(if $(ALL),--all)

demo: zip
	@$(PYTHON) -m tools.demo $(if $(LEADER),--leader "$(LEADER)")

gallery:
	@sh tools/setup_env.sh base
	@$(PYTHON) -m tools.gallery $(NAMES)

evaluate:
	@sh tools/setup_env.sh base
	@$(PYTHON) -m motiondiff evaluate $(if $(DATA),--data "$(DATA)")

test: env zip
	@$(PYTHON) -m tools.test_all

bench: torch
	@$(PYTHON) -m benchmarks $(if $(CPU),--cpu)

lint:
	@$(PYTHON) -m tools.test_all lint

clean:
	rm -rf dist build/demo build/stage-*
