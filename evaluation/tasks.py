"""What is asked of the core in an evaluation, each read off a recorded window: six tasks, as requests."""

import numpy as np

from blender_motiondiff.core.cleanup.contacts import label_contacts
from blender_motiondiff.core.cleanup.plants import runs
from blender_motiondiff.core.constraints.trajectory import smooth_pelvis
from blender_motiondiff.core.motion import FPS, positions
from blender_motiondiff.core.request import Character, Key, Path, Pin, Request, Words
from blender_motiondiff.core.skeleton import FEET, INDEX, JOINTS

SINGLE_TASKS = ("path", "path_sparse", "keys", "partial", "free")
TASKS = (*SINGLE_TASKS[:-1], "reaction", "free")
WAYPOINTS = 5
KEY_GAP = 40.0  # frames from key to key: 4 keys in 4 s
HELD = 12  # frames over which a hand is pinned
ARMS = tuple(f"{s}_{j}" for s in ("left", "right") for j in ("collar", "shoulder", "elbow", "wrist"))


def request(task, window, seed=0, takes=1, steps=1):
    """The Request of a task for a Window. In `reaction` character 0 leads and is given, 1 answers."""
    motion = window.motion
    asked = {
        "path": lambda: {"path": dense_path(motion)},
        "path_sparse": lambda: {"path": sparse_path(motion)},
        "keys": lambda: {"keys": tuple(_key(motion, f) for f in key_frames(motion))},
        "partial": lambda: {"keys": partial_keys(motion), "pins": pins(motion)},
        "free": lambda: {"keys": (_key(motion, 0, joints=("pelvis",)),)},
        "reaction": dict,
    }[task]()
    people = (Character("A", motion.body, **asked),)
    if task == "reaction":
        people = (Character("A", window.leader.body, motion=window.leader), Character("B", motion.body))
    words = (Words(window.text),) if task == "free" and window.text else ()
    duration = (motion.frames - 1) / FPS
    return Request(people, duration, seed=seed, takes=takes, steps=steps, words=words)


def smoothed(motion):
    """The smoothed pelvis over the ground `[T, 2]`, metres: what a path binds."""
    return smooth_pelvis(motion.root[:, :2])


def dense_path(motion):
    """The way of the motion's own smoothed pelvis, at every frame."""
    return Path(np.arange(motion.frames) / FPS, smoothed(motion))


def waypoint_frames(motion):
    """Frames of the sparse path's waypoints, both ends among them."""
    return np.linspace(0, motion.frames - 1, WAYPOINTS).round().astype(int)


def sparse_path(motion):
    """Waypoints with times on the motion's own smoothed pelvis."""
    frames = waypoint_frames(motion)
    return Path(frames / FPS, smoothed(motion)[frames], sparse=True)


def key_frames(motion):
    """Frames of the keys, evenly spread, both ends among them: 4 in 4 s."""
    count = max(2, round((motion.frames - 1) / KEY_GAP) + 1)
    return np.linspace(0, motion.frames - 1, count).round().astype(int)


def _key(motion, frame, joints=JOINTS):
    return Key(frame / FPS, motion.rotations[frame], joints=joints, root=motion.root[frame])


def partial_keys(motion):
    """Keys of the pelvis and both arms; legs and back are free."""
    return tuple(_key(motion, f, ("pelvis", *ARMS)) for f in key_frames(motion))


def pins(motion):
    """The right hand held where it was between the first two keys, and a foot where it stood the longest."""
    places, frames = positions(motion), key_frames(motion)
    middle = int((frames[0] + frames[1]) // 2)
    out = [_pin("right_wrist", places, middle - HELD // 2, middle + HELD // 2)]
    stands = label_contacts(places, motion.body, FPS)
    feet = [(j, span) for j, column in zip(FEET, stands.T, strict=True) if JOINTS[j].endswith("ankle")
            for span in runs(column)]  # fmt: skip
    if feet:
        joint, (start, end) = max(feet, key=lambda f: f[1][1] - f[1][0])
        out.append(_pin(JOINTS[joint], places, start, end - 1))
    return tuple(out)


def _pin(joint, places, first, last):
    place = places[first : last + 1, INDEX[joint]].mean(0)
    return Pin(joint, first / FPS, last / FPS, place=place)
