"""Recorded skeletons -> the canonical one: which source joint is which, and the bodies they make."""

from dataclasses import dataclass

import numpy as np

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.motion import Motion, local_rotations
from blender_motiondiff.core.skeleton import (
    COUNT,
    FEET,
    HIP_DROP,
    INDEX,
    JOINTS,
    PARENTS,
    Measures,
    make_body,
)  # fmt: skip

# One table a naming convention, for the left side and the middle; the right side follows by the words beside it.
ASF = (
    {"pelvis": "root", "spine1": "lowerback", "spine2": "upperback", "spine3": "thorax", "neck": "lowerneck",
     "head": "head", "left_collar": "lclavicle", "left_shoulder": "lhumerus", "left_elbow": "lradius",
     "left_wrist": "lwrist", "left_hip": "lfemur", "left_knee": "ltibia", "left_ankle": "lfoot", "left_foot": "ltoes"},
    ("l", "r"),
)  # fmt: skip
ASF_BVH = ({**ASF[0], "pelvis": "hip"}, ("l", "r"))
CGSPEED = (
    {"pelvis": "Hips", "spine1": "LowerBack", "spine2": "Spine", "spine3": "Spine1", "neck": "Neck", "head": "Head",
     "left_collar": "LeftShoulder", "left_shoulder": "LeftArm", "left_elbow": "LeftForeArm", "left_wrist": "LeftHand",
     "left_hip": "LeftUpLeg", "left_knee": "LeftLeg", "left_ankle": "LeftFoot", "left_foot": "LeftToeBase"},
    ("Left", "Right"),
)  # fmt: skip
DAZ = (
    {"pelvis": "hip", "spine1": "abdomen", "spine3": "chest", "neck": "neck", "head": "head", "left_collar": "lCollar",
     "left_shoulder": "lShldr", "left_elbow": "lForeArm", "left_wrist": "lHand", "left_hip": "lThigh",
     "left_knee": "lShin", "left_ankle": "lFoot"},
    ("l", "r"),
)  # fmt: skip
STYLE100 = (
    {"pelvis": "Hips", "spine1": "Chest", "spine2": "Chest2", "spine3": "Chest4", "neck": "Neck", "head": "Head",
     "left_collar": "LeftCollar", "left_shoulder": "LeftShoulder", "left_elbow": "LeftElbow",
     "left_wrist": "LeftWrist", "left_hip": "LeftHip", "left_knee": "LeftKnee", "left_ankle": "LeftAnkle",
     "left_foot": "LeftToe"},
    ("Left", "Right"),
)  # fmt: skip
CONVENTIONS = {"asf": ASF, "asf-bvh": ASF_BVH, "cgspeed": CGSPEED, "daz": DAZ, "100style": STYLE100}

TOE_SHARE = 2.0 / 3.0  # of the way from the ankle to the foot's end, where a skeleton has no toe joint
TO_Z_UP = np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])  # Y up, facing +Z -> Z up, facing -Y
TO_Z_UP_Q = rot.from_matrix(TO_Z_UP)


@dataclass(frozen=True)
class Source:
    """How a recorded skeleton maps onto the canonical one."""

    joints: dict  # canonical name -> source index
    align: np.ndarray  # [22, 4] rotations from canonical rest directions to the source's
    hip_shift: np.ndarray  # [3] pelvis joint from the source's root joint, source rest axes turned Z up, metres
    body: object


def full_table(convention):
    """Canonical name -> source name, both sides."""
    table, (left, right) = CONVENTIONS[convention]
    out = dict(table)
    for name, source in table.items():
        if name.startswith("left"):
            out[name.replace("left", "right")] = right + source[len(left) :]
    return out


def convention_of(names):
    """The naming convention that a recorded skeleton follows; None where none fits."""
    for name in CONVENTIONS:
        if set(full_table(name).values()) <= set(names):
            return name
    return None


def source_of(names, parents, offsets):
    """Maps a recorded skeleton (offsets `[J, 3]` metres, Y up, facing +Z at rest) onto the canonical one."""
    table = full_table(convention_of(names))
    joints = {name: names.index(source) for name, source in table.items()}
    rest = np.zeros((len(names), 3))
    for j, parent in enumerate(parents):
        rest[j] = offsets[j] + (rest[parent] if parent >= 0 else 0)
    rest = rest @ TO_Z_UP.T
    at = {name: rest[j] for name, j in joints.items()}
    for side in ("left", "right"):
        if f"{side}_foot" not in at:
            end = rest[[j for j, p in enumerate(parents) if p == joints[f"{side}_ankle"]][0]]
            at[f"{side}_foot"] = at[f"{side}_ankle"] + TOE_SHARE * (end - at[f"{side}_ankle"])
    body = make_body(_measures(at))
    middle = 0.5 * (at["left_hip"] + at["right_hip"])
    shift = middle + np.array([0, 0, HIP_DROP * body.size]) - at["pelvis"]
    return Source(joints, _alignment(at), shift, body)


def _measures(at):
    def pair(f):
        return 0.5 * (f("left") + f("right"))

    def length(a, b):
        return pair(lambda s: float(np.linalg.norm(at[f"{s}_{a}"] - at[f"{s}_{b}"])))

    middle = 0.5 * (at["left_hip"] + at["right_hip"])
    return Measures(
        hip_width=float(0.5 * np.linalg.norm(at["left_hip"] - at["right_hip"])), thigh=length("hip", "knee"),
        shin=length("knee", "ankle"),
        foot_length=pair(lambda s: float(np.linalg.norm((at[f"{s}_ankle"] - at[f"{s}_foot"])[:2]))),
        ankle_height=pair(lambda s: float(at[f"{s}_ankle"][2] - at[f"{s}_foot"][2])),
        spine=float(at["neck"][2] - middle[2]), neck=float(np.linalg.norm(at["head"] - at["neck"])),
        shoulder_width=pair(lambda s: abs(float(at[f"{s}_shoulder"][0] - at["neck"][0]))),
        shoulder_drop=pair(lambda s: float(at["neck"][2] - at[f"{s}_shoulder"][2])),
        upper_arm=length("shoulder", "elbow"), forearm=length("elbow", "wrist"),
    )  # fmt: skip


def _alignment(at):
    """Per joint the smallest rotation from the canonical rest direction of the limb to the source's."""
    align = np.tile(rot.IDENTITY, (COUNT, 1))
    for side, x in (("left", 1.0), ("right", -1.0)):
        for joint, child, canonical in (
            ("shoulder", "elbow", (x, 0, 0)), ("elbow", "wrist", (x, 0, 0)),
            ("hip", "knee", (0, 0, -1.0)), ("knee", "ankle", (0, 0, -1.0)),
        ):  # fmt: skip
            direction = at[f"{side}_{child}"] - at[f"{side}_{joint}"]
            align[INDEX[f"{side}_{joint}"]] = rot.shortest_arc(np.array(canonical), direction)
        align[INDEX[f"{side}_wrist"]] = align[INDEX[f"{side}_elbow"]]
        flat = (at[f"{side}_foot"] - at[f"{side}_ankle"]) * np.array([1.0, 1.0, 0.0])
        yaw = rot.shortest_arc(np.array([0, -1.0, 0]), flat)
        align[INDEX[f"{side}_ankle"]] = align[INDEX[f"{side}_foot"]] = yaw
    return align


def canonical_motion(source, root, rotvec, parents, fps):
    """A recorded clip as a Motion. `root [F, 3]` metres and `rotvec [F, J, 3]` local, Y up."""
    local = rot.from_rotvec(rotvec)
    world = np.empty_like(local)
    for j, parent in enumerate(parents):
        world[:, j] = local[:, j] if parent < 0 else rot.multiply(world[:, parent], local[:, j])
    world = rot.multiply(rot.multiply(TO_Z_UP_Q, world), rot.conjugate(TO_Z_UP_Q))
    turned = np.empty((len(root), COUNT, 4))
    for j, name in enumerate(JOINTS):
        if name in source.joints:
            turned[:, j] = rot.multiply(world[:, source.joints[name]], source.align[j])
        else:
            turned[:, j] = turned[:, PARENTS[j]]
    pelvis = root @ TO_Z_UP.T + rot.rotate(turned[:, 0], source.hip_shift)
    return Motion(pelvis, local_rotations(turned), source.body, fps)


def ground_height(positions, body):
    """Height of the ground under a clip: where the lowest toe stands in most of it. `positions [T, 22, 3]`."""
    toes = positions[:, [FEET[1], FEET[3]], 2].min(1)
    return float(np.percentile(toes, 10) - body.foot_heights[1])
