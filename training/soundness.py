"""Frames of a recording that no body can have moved through: joints that jump, roll, or legs turned over."""

import numpy as np

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.motion import FPS, forward_kinematics
from blender_motiondiff.core.skeleton import INDEX

JUMP = 18.0  # metres a second of a joint
ROLL = 90.0  # degrees in 1/30 s by which a joint turns against its parent: 2,700 a second
MARGIN = 0.1  # seconds left out on either side of a jump or a roll
SOLE_UP = -0.3  # height of a sole's normal, as a share of its length, under which the sole points up
HANGING = 0.5  # lengths of the shin that the ankle lies under the knee, so that no foot can be turned so
UPRIGHT = 0.6  # heights of the neck over the pelvis at rest


ROLLS = f"rolls of a joint by over {ROLL:g} degrees in 1/30 s, or legs turned over,"  # in reports


def widened(flags, fps):
    """Flags `[T]` with MARGIN seconds more on either side."""
    margin = int(np.ceil(MARGIN * fps - 1e-6))
    return np.convolve(flags, np.ones(2 * margin + 1), "same") > 0 if flags.any() else flags


def jumps(places, fps):
    """Frames `[T]` about steps of any joint of `places [T, 22, 3]` over JUMP."""
    fast = np.linalg.norm(np.diff(places, axis=0), axis=-1).max(1, initial=0.0) * fps > JUMP
    return widened(np.append(fast, False) | np.append(False, fast), fps)


def steps(rotations, fps):
    """Turns of each joint in 1/30 s `[T - lag, 22]`, degrees, from local rotations `[T, 22, 4]`; the pelvis' too."""
    lag = max(1, round(fps / FPS))
    dot = np.abs((rotations[lag:] * rotations[:-lag]).sum(-1)).clip(0, 1)
    return np.degrees(2 * np.arccos(dot))


def rolls(motion):
    """Frames `[T]` about turns of any joint over ROLL."""
    lag = max(1, round(motion.fps / FPS))
    flags = np.zeros(motion.frames, bool)
    for frame in np.flatnonzero(steps(motion.rotations, motion.fps).max(1, initial=0.0) > ROLL):
        flags[frame : frame + lag + 1] = True
    return widened(flags, motion.fps)


def turned_legs(motion):
    """Frames `[T]` of somebody upright in which a foot that hangs under its knee has its sole up.

    So recordings look whose solver took a thigh or a foot the other way round: the joints' places are right, the
    rotations are not.
    """
    places, world = forward_kinematics(motion.root, motion.rotations, motion.body.offsets)
    upright = places[:, INDEX["neck"], 2] - places[:, 0, 2] > UPRIGHT * motion.body.rest_positions[INDEX["neck"], 2]
    out = np.zeros(motion.frames, bool)
    for side in ("left", "right"):
        ankle, knee = INDEX[f"{side}_ankle"], INDEX[f"{side}_knee"]
        shin = np.linalg.norm(motion.body.offsets[ankle])
        up = rot.rotate(world[:, ankle], np.array([0.0, 0.0, 1.0]))[:, 2]
        out |= (up < SOLE_UP) & (places[:, knee, 2] - places[:, ankle, 2] > HANGING * shin)
    return out & upright


def impossible(motion):
    """Frames `[T]` with rolls or turned legs: their joints' places may be right, their rotations are not."""
    return rolls(motion) | widened(turned_legs(motion), motion.fps)
