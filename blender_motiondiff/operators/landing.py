"""Takes that come out of a job, onto the characters of the clip that asked for them."""

import json
from dataclasses import dataclass

from ..properties import SCENE_PROPERTY
from ..scene import nla
from ..scene.errors import SceneError
from ..scene.slots import slot_of
from ..scene.write import write_take

_NOTED_BEND = 1.0  # centimetres off its path from which a key is spoken of


@dataclass(frozen=True)
class Target:
    """The clip that a job was started for, in words that outlive undo: no reference to Blender's data."""

    scene: int  # session uid
    name: str
    index: int
    asked: tuple  # what the request was read from and the takes are written by


def target_of(scene, clip):
    """The Target of a clip."""
    index = next(i for i, c in enumerate(getattr(scene, SCENE_PROPERTY).clips) if c == clip)
    return Target(scene.session_uid, clip.name, index, _asked(scene, clip))


def find(scenes, target):
    """`(scene, clip)` of a Target. Raises SceneError if they are gone or no longer those that were read."""
    scene = next((s for s in scenes if s.session_uid == target.scene), None)
    clips = [] if scene is None else getattr(scene, SCENE_PROPERTY).clips
    # By its name, of several with that name the one in its place; renamed, by its place.
    found = [(c.name != target.name, i != target.index, i) for i, c in enumerate(clips)]
    found = [f for f in found if not (f[0] and f[1])]
    if not found:
        raise SceneError(
            f"{target.name} is gone: it was removed or undone while it was generated. The takes are dropped."
        )
    clip = clips[min(found)[-1]]
    if _asked(scene, clip) != target.asked:
        raise SceneError(
            f"{target.name} was changed while it was generated (characters, frames, ground or frame rate). "
            "The takes are dropped; generate again."
        )
    return scene, clip


def _asked(scene, clip):
    armatures = [None if a is None else a.session_uid for a in (clip.character_a, clip.character_b)]
    rate = scene.render.fps / scene.render.fps_base
    return (*armatures, clip.frame_start, clip.frame_end, clip.ground, rate)


def land(scene, clip, characters, takes, extras):
    """Writes the takes as actions, shows the first and lets go of the clip's earlier takes. Returns warnings.

    `characters`: armatures in the order of the takes' motions; `extras`: what each report says beside the take's own;
    its `seconds` are put beside those of the take.
    If anything fails, the clip and its characters are as they were.
    """
    actions = []
    try:
        for take in takes:
            actions.append(write_take(scene, clip, characters, take, f"{clip.name} new"))
        warnings = _replace(scene, clip, actions, [_report(t.report, extras) for t in takes])
        return warnings + _bends(takes) + _unknown(takes)
    except BaseException:
        for action in actions:
            nla.remove_unused(action)
        raise


def _report(report, extras):
    seconds = {**extras["seconds"], **report.get("seconds", {})}
    return json.dumps({**report, **extras, "seconds": seconds})


def _bends(takes):
    """Warnings where a path had to give way to a key; the same for every take."""
    people = takes[0].report.get("characters", ())
    bends = [(who["name"], max(map(abs, who.get("path_bent_cm") or [0.0]))) for who in people]
    return [
        f"The path of {name} bends by up to {far:.0f} cm to meet keyed places of the hips."
        for name, far in bends
        if far >= _NOTED_BEND
    ]


def _unknown(takes):
    """A warning that names the words that the weights don't know, if there are any."""
    words = takes[0].report.get("unknown_words", ())
    listed = ", ".join(words)
    return [f"Words the model doesn't know: {listed}. Try others, like walk, run, turn, jump, dance."] if words else []


def _replace(scene, clip, actions, reports):
    before = (clip.shown, clip.accepted, clip.baked)
    old = len(clip.results)
    try:
        warnings = nla.restore(clip)
        for action, report in zip(actions, reports):
            item = clip.results.add()
            item.action, item.report = action, report
        warnings += nla.show(clip, actions[0])
    except BaseException:
        _go_back(scene, clip, old, before)
        raise
    _keep_leader(clip, actions[0], clip.results[before[0]] if before[0] >= 0 else None)
    _let_go(clip, old)
    for number, item in enumerate(clip.results, 1):
        item.name = f"Take {number}"
        item.action.name = f"{clip.name} take {number}"
    clip.shown, clip.accepted = 0, False
    return warnings


def _go_back(scene, clip, old, before):
    shown, accepted, baked = before
    nla.restore(clip)
    while len(clip.results) > old:
        clip.results.remove(len(clip.results) - 1)
    clip.shown, clip.accepted = shown, accepted
    if baked and clip.results[shown].action is not None:
        nla.bake(scene, clip)
    elif shown >= 0 and clip.results[shown].action is not None:
        nla.show(clip, clip.results[shown].action)


def _keep_leader(clip, new, shown):
    """Notes the take of A that the partner's new takes react to, so that rejecting these gives it back."""
    last = clip.leader
    if slot_of(new, "b") is None or shown is None or shown.action is None:
        clip.leader, clip.leader_report = None, ""
    elif slot_of(shown.action, "b") is None:
        clip.leader, clip.leader_report = shown.action, shown.report
    if last is not None and last != clip.leader:
        nla.remove_unused(last)


def _let_go(clip, old):
    """Removes the first `old` takes, and their actions where nothing else uses them."""
    actions = [clip.results[i].action for i in range(old)]
    for _ in range(old):
        clip.results.remove(0)
    for action in actions:
        if action is not None:
            nla.remove_unused(action)
