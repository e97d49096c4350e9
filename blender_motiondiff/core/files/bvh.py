"""BVH: reader for any hierarchy and channel order, writer for canonical motions.

A joint's local rotation is the product of its rotation channels in the order in which they are listed, the first
outermost; position channels replace the joint's offset (Blender's importer reads them so). Files are Y up.
"""

from dataclasses import dataclass, field
from math import isfinite

import numpy as np

from .. import rotations as rot
from ..motion import Motion
from ..skeleton import COUNT, JOINTS, PARENTS
from .atomic import write_text
from .recording import FileError, Recording, axes_rotation, read_text

CHANNELS = {f"{axis}{kind}".lower(): (kind, k) for kind in ("position", "rotation") for k, axis in enumerate("XYZ")}

# The names of cgspeed's conversion of the CMU database, which retargeting tools know.
NAMES = {
    "pelvis": "Hips", "spine1": "LowerBack", "spine2": "Spine", "spine3": "Spine1", "neck": "Neck", "head": "Head",
    "left_collar": "LeftShoulder", "left_shoulder": "LeftArm", "left_elbow": "LeftForeArm", "left_wrist": "LeftHand",
    "left_hip": "LeftUpLeg", "left_knee": "LeftLeg", "left_ankle": "LeftFoot", "left_foot": "LeftToeBase",
}  # fmt: skip
NAMES |= {n.replace("left", "right"): b.replace("Left", "Right") for n, b in NAMES.items() if n.startswith("left")}
# Ends of the outermost bones from their joints, metres, for a leg of 0.85 m: Z up, facing -Y.
ENDS = {
    "head": (0, 0, 0.18), "left_wrist": (0.17, 0, 0), "right_wrist": (-0.17, 0, 0),
    "left_foot": (0, -0.07, 0), "right_foot": (0, -0.07, 0),
}  # fmt: skip
TO_Y_UP = np.array([[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]])  # Z up, facing -Y -> Y up, facing +Z
TO_Y_UP_Q = rot.from_matrix(TO_Y_UP)
UNITS = {"m": 1.0, "cm": 100.0}  # file units a metre


@dataclass
class _Hierarchy:
    """What the first part of a file says, gathered while reading."""

    names: list = field(default_factory=list)
    parents: list = field(default_factory=list)
    offsets: list = field(default_factory=list)
    channels: list = field(default_factory=list)  # per joint: [(kind, axis)]
    end_parents: list = field(default_factory=list)
    end_offsets: list = field(default_factory=list)


# --- reading ----------------------------------------------------------------------------------------------------------


def read(path):
    """The first character of a BVH file -> Recording. Raises FileError."""
    lines = _lines(read_text(path))
    split = next((i for i, (_, words) in enumerate(lines) if words[0].upper() == "MOTION"), None)
    if not lines or lines[0][1][0].upper() != "HIERARCHY":
        raise FileError(f"{path} is no BVH file: it doesn't start with HIERARCHY. Choose a .bvh file.")
    if split is None:
        raise FileError(f"{path} ends before its MOTION part. Export or download it again.")
    tree = _read_hierarchy(path, lines[1:split])
    fps, values = _read_motion(path, lines[split + 1 :], sum(len(c) for c in tree.channels))
    return _recording(tree, fps, values)


def _lines(text):
    """(line number, words) of every line that holds any; braces stand alone."""
    out = []
    for number, line in enumerate(text.splitlines(), 1):
        for part in line.replace("{", "\n{\n").replace("}", "\n}\n").split("\n"):
            words = part.split()
            if words:
                out.append((number, words))
    return out


def _read_hierarchy(path, lines):
    tree, stack, pending = _Hierarchy(), [], None  # stack of joint indices, "end" for an end site
    for number, words in lines:
        key = words[0].upper()
        if key in ("ROOT", "JOINT"):
            if key == "ROOT" and tree.names:
                break  # a second character
            if key == "JOINT" and (not stack or stack[-1] == "end"):
                raise FileError(f"{path}, line {number}: a JOINT stands outside every other joint. Export it again.")
            pending = _add_joint(tree, " ".join(words[1:]), stack[-1] if stack else -1)
        elif key == "END":
            pending = "end"
        elif key == "{" and pending is not None:
            stack.append(pending)
            pending = None
        elif key == "}" and stack:
            stack.pop()
        elif key == "OFFSET" and stack:
            _add_offset(tree, stack, _numbers(path, number, words[1:], 3))
        elif key == "CHANNELS" and stack and stack[-1] != "end":
            tree.channels[stack[-1]] = _channels(path, number, words)
        else:
            raise FileError(f"{path}, line {number}: '{' '.join(words)[:40]}' isn't BVH. Export the file again.")
    if not tree.names or stack:
        raise FileError(f"{path}: the HIERARCHY part is incomplete. Export or download it again.")
    return tree


def _add_joint(tree, name, parent):
    tree.names.append(name)
    tree.parents.append(parent)
    tree.offsets.append([0.0, 0.0, 0.0])
    tree.channels.append([])
    return len(tree.names) - 1


def _add_offset(tree, stack, offset):
    if stack[-1] == "end":
        tree.end_parents.append(stack[-2])
        tree.end_offsets.append(offset)
    else:
        tree.offsets[stack[-1]] = offset


def _channels(path, number, words):
    names = [w.lower() for w in words[2:]]
    if len(words) < 2 or not words[1].isdigit() or int(words[1]) != len(names) or not set(names) <= set(CHANNELS):
        raise FileError(
            f"{path}, line {number}: '{' '.join(words)[:60]}' is no list of channels. Export the file again."
        )
    return [CHANNELS[n] for n in names]


def _numbers(path, number, words, count):
    try:
        values = [float(w) for w in words]
    except ValueError:
        values = []
    if len(values) != count or not all(map(isfinite, values)):
        held = f"{len(words)} values" if len(words) != count else "a value that is no number"
        raise FileError(f"{path}, line {number} holds {held} where {count} numbers belong. Export the file again.")
    return values


def _read_motion(path, lines, width):
    head = {" ".join(w[:-1]).lower(): (n, w[-1:]) for n, w in lines[:2]}
    if set(head) != {"frames:", "frame time:"}:
        raise FileError(f"{path}: after MOTION belong 'Frames:' and 'Frame Time:'. Export or download it again.")
    frames = int(_numbers(path, *head["frames:"], 1)[0])
    frame_time = _numbers(path, *head["frame time:"], 1)[0]
    rows = lines[2:]
    if frame_time <= 0:
        raise FileError(f"{path}: its frame time is {frame_time:g} s. Correct the line 'Frame Time:'.")
    if len(rows) != frames or frames < 1:
        raise FileError(f"{path} says {frames} frames and holds {len(rows)}. Export or download it again.")
    return 1.0 / frame_time, np.array([_numbers(path, n, words, width) for n, words in rows])


def _recording(tree, fps, values):
    offsets = np.array(tree.offsets, float)
    translations = np.tile(offsets, (len(values), 1, 1))
    rotations = np.tile(rot.IDENTITY, (len(values), len(offsets), 1))
    column = 0
    for j, channels in enumerate(tree.channels):
        axes, degrees = [], []
        for kind, axis in channels:
            if kind == "position":
                translations[:, j, axis] = values[:, column]
            else:
                axes.append(axis)
                degrees.append(values[:, column])
            column += 1
        if axes:
            rotations[:, j] = axes_rotation(axes, np.stack(degrees, -1))
    ends = np.array(tree.end_offsets, float).reshape(-1, 3)
    parents, end_parents = np.array(tree.parents), np.array(tree.end_parents, int)
    return Recording(tuple(tree.names), parents, offsets, translations, rotations, fps, end_parents, ends)


# --- writing ----------------------------------------------------------------------------------------------------------


def write(path, motion: Motion, unit="cm"):
    """Writes a canonical Motion as BVH: cgspeed's joint names, Y up, facing +Z, lengths in `unit` ("cm" or "m").

    The file appears whole or not at all. Raises FileError.
    """
    scale = UNITS[unit]
    offsets = motion.body.offsets @ TO_Y_UP.T * scale
    lines = ["HIERARCHY"]
    _write_joint(lines, 0, offsets, motion.body.size * scale)
    lines += ["MOTION", f"Frames: {motion.frames}", f"Frame Time: {1.0 / motion.fps:.9f}"]
    local = rot.multiply(rot.multiply(TO_Y_UP_Q, motion.rotations), rot.conjugate(TO_Y_UP_Q))
    angles = np.degrees(euler_zxy(local))[:, _file_order()]
    root = motion.root @ TO_Y_UP.T * scale
    rows = np.concatenate([root, angles.reshape(motion.frames, -1)], 1)
    lines += [" ".join(f"{v:.6f}" for v in row) for row in rows]
    write_text(path, "\n".join(lines) + "\n")


def _children(joint):
    return [j for j in range(COUNT) if PARENTS[j] == joint]


def _file_order(joint=0):
    """Joint indices in the order of the hierarchy, depth first."""
    return [joint] + [k for child in _children(joint) for k in _file_order(child)]


def _write_joint(lines, joint, offsets, size, depth=0):
    tab, name = "\t" * depth, JOINTS[joint]
    place = "Xposition Yposition Zposition " if joint == 0 else ""
    offset = np.zeros(3) if joint == 0 else offsets[joint]
    lines += [
        f"{tab}{'JOINT' if depth else 'ROOT'} {NAMES[name]}", f"{tab}{{", f"{tab}\tOFFSET {_words(offset)}",
        f"{tab}\tCHANNELS {6 if joint == 0 else 3} {place}Zrotation Xrotation Yrotation",
    ]  # fmt: skip
    for child in _children(joint):
        _write_joint(lines, child, offsets, size, depth + 1)
    if name in ENDS:
        end = TO_Y_UP @ np.array(ENDS[name]) * size
        lines += [f"{tab}\tEnd Site", f"{tab}\t{{", f"{tab}\t\tOFFSET {_words(end)}", f"{tab}\t}}"]
    lines.append(f"{tab}}}")


def _words(vector):
    return " ".join(f"{v:.8f}" for v in vector)


def euler_zxy(q):
    """Angles about Z, X, Y (Rz Rx Ry) of rotations `[T, ..., 4]` -> `[T, ..., 3]` radians, without jumps over time.

    Every rotation has two such triples, and each angle any number of whole turns: the one nearest the frame before is
    taken, so that programs which interpolate the angles go the short way.
    """
    m = rot.to_matrix(q)
    x = np.arcsin(np.clip(m[..., 2, 1], -1, 1))
    locked = np.abs(m[..., 2, 1]) > 1 - 1e-9  # Z and Y turn about the same line: all of it goes to Z
    z = np.where(locked, np.arctan2(m[..., 1, 0], m[..., 0, 0]), np.arctan2(-m[..., 0, 1], m[..., 1, 1]))
    y = np.where(locked, 0.0, np.arctan2(-m[..., 2, 0], m[..., 2, 2]))
    out = np.stack([z, x, y], -1)
    for t in range(1, len(out)):
        other = np.stack([out[t, ..., 0] + np.pi, np.pi - out[t, ..., 1], out[t, ..., 2] + np.pi], -1)
        pair = [c + 2 * np.pi * np.round((out[t - 1] - c) / (2 * np.pi)) for c in (out[t], other)]
        gap = [np.abs(c - out[t - 1]).sum(-1, keepdims=True) for c in pair]
        out[t] = np.where(gap[0] <= gap[1], pair[0], pair[1])
    return out
