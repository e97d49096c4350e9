"""Started by the worker's Python as a script: makes the extension and its packages importable, then serves.

Arguments: weights folder, threads, then folders that hold packages. The interpreter runs isolated (-I), so nothing of
this can come through the environment.
"""

import importlib.util
import os
import sys


def add_sites(folders):
    """Puts the folders before the interpreter's own packages, but behind its standard library."""
    own = [i for i, p in enumerate(sys.path) if os.path.basename(p) in ("site-packages", "dist-packages")]
    at = own[0] if own else len(sys.path)
    sys.path[at:at] = [f for f in folders if f not in sys.path]


def import_extension():
    """Imports the folder above this one as the package `motiondiff`, whatever it is called on disk."""
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    spec = importlib.util.spec_from_file_location(
        "motiondiff", os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    sys.modules["motiondiff"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


def begin_helper():
    """The first thing that runs in a process which helps the worker (core.diffusion.crew)."""
    import_extension()
    from motiondiff.core.diffusion.crew import ends_with_parent

    ends_with_parent()


if __name__ == "__main__":
    add_sites(sys.argv[3:])
    import_extension()
    from motiondiff.worker import server

    server.main(sys.argv[1], int(sys.argv[2]), begin_helper)
