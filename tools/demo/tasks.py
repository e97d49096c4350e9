"""Clips generated through the extension's operators, and measured on the rigs."""

import json
import time

import bpy

from tools.demo import figures, measure, stage
from tools.demo.installed import add_clip, clip_of, operate
from tools.demo.summary import one_line


def generate(scene, case, cleanup):
    """One press of *Generate* or *Generate Partner*: the take is shown on the rigs. Returns its report."""
    clip = clip_of(scene, case)
    clip.cleanup = cleanup
    operate(scene, case, "GENERATE_PARTNER" if case.is_reaction else "GENERATE")
    return json.loads(clip_of(scene, case).results[0].report)


def track_of(scene, case, name):
    """The Track of one of a case's armatures over the clip."""
    return measure.track(scene, bpy.data.objects[name], case.range)


def perform(scene, case, seed=0, say=print):
    """Adds the clip, generates it without and with cleanup, bakes it; returns its figures, tracks and seconds.

    The take without cleanup is measured while it is shown, then rejected; the one with it is accepted, baked to the
    NLA, and measured there.
    """
    with stage.alone(scene, case):
        return _perform(scene, case, seed, say)


def _perform(scene, case, seed, say):
    add_clip(scene, case, seed)
    seconds = {}
    leader = timed(seconds, "measure", track_of, scene, case, case.walker) if case.is_reaction else None
    timed(seconds, "generate_without_cleanup", generate, scene, case, False)
    before = timed(seconds, "measure", track_of, scene, case, case.moved.name)
    operate(scene, case, "REJECT")
    report = timed(seconds, "generate", generate, scene, case, True)
    operate(scene, case, "ACCEPT")
    timed(seconds, "bake", operate, scene, case, "BAKE")
    after = timed(seconds, "measure", track_of, scene, case, case.moved.name)
    if case.is_reaction:
        again = timed(seconds, "measure", track_of, scene, case, case.walker)
        made = figures.reaction(scene, case, leader, again, before, after)
    else:
        made = figures.path(scene, case, before, after)
    say(f"{case.title}: generated in {seconds['generate']:.1f} s, {one_line(made)}")
    return {
        "figures": made,
        "seconds": seconds,
        "take": report,
        "tracks": (again, after) if case.is_reaction else (after,),
    }


def timed(seconds, stage, call, *arguments):
    """What `call` returns; the seconds that it took are added to the stage."""
    began = time.monotonic()
    try:
        return call(*arguments)
    finally:
        seconds[stage] = seconds.get(stage, 0.0) + time.monotonic() - began
