"""The parts of the demo that run inside Blender, each in a process of its own: python -m tools.demo.steps STEP BUILD

Each reads what the ones before it left in BUILD/work and leaves its own figures there as JSON.
"""

import json
import os
import sys
import time
from pathlib import Path

from blender_motiondiff.core.files import atomic
from tools.install_zip import use_profile

CORNERS = ((1.5, -4.0), (1.0, 2.5), (6.0, 2.5))  # metres: where the clips stand, all off the origin


class Said:
    """Prints progress lines with the seconds since the demo began."""

    def __init__(self, began):
        self.began = began

    def __call__(self, text):
        print(f"demo: {time.time() - self.began:6.1f} s  {text}", flush=True)


def read(path):
    """A JSON file."""
    return json.loads(Path(path).read_text())


def write(path, data):
    """Writes a JSON file, whole or not at all. Raises FileError."""
    atomic.write_text(path, json.dumps(data, indent=1, default=float) + "\n")


def make(build, options, say):
    """Builds the scene, generates and bakes its three clips, saves demo.blend."""
    import bpy

    from tools.demo import cast, stage, tasks
    from tools.demo.installed import choose_weights
    from tools.demo.leaders import from_plain

    say("building the scene")
    scene = new_scene(bpy)
    choose_weights(options["weights"])
    cases = [cast.path_case(scene, "path", "Path and keys", CORNERS[0])]
    for number, leader in enumerate(map(from_plain, options["leaders"]), 1):
        cases.append(cast.reaction_case(f"reaction {number}", f"Reaction {number}", leader, CORNERS[number]))
    stage.set_up(scene)
    for case in cases:
        body = stage.dress_case(scene, case)
        if case.curve:
            cast.key_poses(scene, case, body)
    results = []
    for case in cases:
        result = tasks.perform(scene, case, say=say)
        stage.follow(case, result.pop("tracks"))
        results.append({"name": case.name, "title": case.title, **result})
    scene.frame_set(cast.FIRST)
    scene.camera = stage.camera_of(cases[0])
    cast.save_cases(cases, build / "work" / "cases.json")
    write(build / "work" / "make.json", results)
    choose_weights(None)
    bpy.ops.wm.save_as_mainfile(filepath=str(build / "demo.blend"), compress=True)
    say(f"demo.blend saved, {(build / 'demo.blend').stat().st_size / 1e6:.1f} MB")


def new_scene(bpy):
    """An empty scene at 24 frames a second that begins at frame 101."""
    from tools.demo import cast

    bpy.ops.wm.read_homefile(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = cast.FPS, 1.0
    scene.frame_start, scene.frame_end = cast.FIRST, cast.LAST
    return scene


def control(build, options, say):
    """Opens demo.blend and generates its clips again in the ways that must fail; measures them, renders moments."""
    from tools.demo import trials

    write(build / "work" / "controls.json", trials.run(build, options, say))


def frames(number):
    """The step that renders every frame of one of demo.blend's clips."""

    def render(build, _options, say):
        import bpy

        from tools.demo import cast, pictures, stage

        bpy.ops.wm.open_mainfile(filepath=str(build / "demo.blend"))
        scene, case = bpy.context.scene, cast.load_cases(build / "work" / "cases.json")[number]
        if case.curve:
            pictures.strobe(scene, case, build / "work" / "strobe.png")
            stage.set_up_render(scene)
        pictures.film(scene, case, build / "work" / case.name)
        say(f"{case.title}: {len(case.range)} frames rendered")

    return render


def publish(build, _options, say):
    """Writes the film and the contact sheet from the rendered pictures."""
    from tools.demo import cast, movie, sheet

    cases = cast.load_cases(build / "work" / "cases.json")
    clips = [(c.title, [build / "work" / c.name / f"{f:04d}.jpg" for f in c.range]) for c in cases]
    size = movie.write(clips, build / "demo.mp4", cast.FPS)
    say(f"demo.mp4 written, {size / 1e6:.1f} MB")
    sheet.write(build, cases, read(build / "work" / "make.json"), read_if_there(build / "work" / "controls.json"))
    say("contact_sheet.png written")


def read_if_there(path):
    """A JSON file, or None."""
    return read(path) if Path(path).exists() else None


FRAMES = ("frames_0", "frames_1", "frames_2")
STEPS = {"make": make, "control": control, "publish": publish, **{n: frames(i) for i, n in enumerate(FRAMES)}}


def main(step, build):
    """Runs a step in the profile under BUILD, with the preferences that were saved there."""
    build = Path(build).resolve()
    use_profile(build / "profile")
    import bpy

    bpy.ops.wm.read_userpref()
    options = read(build / "work" / "options.json")
    STEPS[step](build, options, Said(options["began"]))


if __name__ == "__main__":
    status = 1
    try:
        main(*sys.argv[1:])
        status = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # Blender 4.5 as a module does not always leave by itself
