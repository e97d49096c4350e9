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
MIXAMO = (
    {**CGSPEED[0], "spine1": "Spine", "spine2": "Spine1", "spine3": "Spine2"}, ("Left", "Right"),
)  # fmt: skip
SMPL = (
    {"pelvis": "Pelvis", "spine1": "Spine1", "spine2": "Spine2", "spine3": "Spine3", "neck": "Neck", "head": "Head",
     "left_collar": "L_Collar", "left_shoulder": "L_Shoulder", "left_elbow": "L_Elbow", "left_wrist": "L_Wrist",
     "left_hip": "L_Hip", "left_knee": "L_Knee", "left_ankle": "L_Ankle", "left_foot": "L_Foot"},
    ("L_", "R_"),
)  # fmt: skip
RIGIFY = (
    {"pelvis": "spine", "spine1": "spine.001", "spine2": "spine.002", "spine3": "spine.003", "neck": "spine.004",
     "head": "spine.006", "left_collar": "shoulder.L", "left_shoulder": "upper_arm.L", "left_elbow": "forearm.L",
     "left_wrist": "hand.L", "left_hip": "thigh.L", "left_knee": "shin.L", "left_ankle": "foot.L",
     "left_foot": "toe.L"},
    (".L", ".R"),
)  # fmt: skip
CONVENTIONS = {
    "ASF/AMC": ASF, "ASF names in BVH": ASF_BVH, "cgspeed": CGSPEED, "DAZ": DAZ, "100STYLE": STYLE100,
    "Mixamo": MIXAMO, "SMPL": SMPL, "Rigify metarig": RIGIFY,
}  # fmt: skip
OPTIONAL = ("spine1", "spine2", "spine3", "left_collar", "right_collar", "left_foot", "right_foot")

TOE_SHARE = 2.0 / 3.0  # of the way from the ankle to the foot's end, where a skeleton has no toe joint
TO_Z_UP = np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])  # Y up, facing +Z -> Z up, facing -Y
NOT_STANDING = "its rest pose is no standing T or A pose; give the rig one in Blender, and export that"


class SkeletonError(ValueError):
    """A skeleton that can't be mapped onto the canonical one; the message says why and what helps."""


@dataclass(frozen=True)
class Source:
    """How a recorded skeleton maps onto the canonical one."""

    joints: dict  # canonical name -> source index
    axes: np.ndarray  # [3, 3] from the source's axes to Z up, facing -Y
    align: np.ndarray  # [22, 4] rotations from canonical rest directions to the source's
    hip_shift: np.ndarray  # [3] pelvis joint from the source's, rest axes turned Z up, metres
    body: object


def full_table(convention):
    """Canonical name -> source name, both sides."""
    table, (left, right) = CONVENTIONS[convention]
    out = dict(table)
    for name, source in table.items():
        if name.startswith("left"):
            other = right + source[len(left) :] if source.startswith(left) else source.removesuffix(left) + right
            out[name.replace("left", "right")] = other
    return out


def plain(name):
    """A joint's name without namespaces such as `mixamorig:`."""
    return name.rsplit(":", 1)[-1]


def convention_of(names):
    """The naming convention that most of a skeleton's joints follow; None where a joint that every body has is missing.

    Spine joints and collars may be missing (they move with their parents), toes too where the ankles have an end.
    """
    present, best, most = {plain(n) for n in names}, None, 0
    for convention in CONVENTIONS:
        table = full_table(convention)
        found = sum(source in present for source in table.values())
        if found > most and all(source in present for name, source in table.items() if name not in OPTIONAL):
            best, most = convention, found
    return best


def rest_places(parents, offsets):
    """Places of the joints at rest `[J, 3]`, the root at its own offset."""
    rest = np.zeros((len(parents), 3))
    for j, parent in enumerate(parents):
        rest[j] = offsets[j] + (rest[parent] if parent >= 0 else 0)
    return rest


def source_of(names, parents, offsets, axes=None):
    """Maps a recorded skeleton, `offsets [J, 3]` in metres, onto the canonical one. Raises SkeletonError.

    `axes [3, 3]`: from the skeleton's axes to Z up, facing -Y; found from the rest pose where it is None.
    """
    convention = convention_of(names)
    if convention is None:
        known = ", ".join(CONVENTIONS)
        raise SkeletonError(f"its joints follow none of the known naming conventions ({known}); rename them")
    bare = [plain(n) for n in names]
    joints = {name: bare.index(source) for name, source in full_table(convention).items() if source in bare}
    rest = rest_places(parents, offsets)
    axes = standing_axes(rest, joints) if axes is None else axes
    rest = rest @ axes.T
    at = {name: rest[j] for name, j in joints.items()}
    for side in ("left", "right"):
        if f"{side}_foot" not in at:
            ends = [j for j, p in enumerate(parents) if p == joints[f"{side}_ankle"]]
            if not ends:
                raise SkeletonError("its feet have neither toes nor ends; export end sites, or a rig with toes")
            at[f"{side}_foot"] = at[f"{side}_ankle"] + TOE_SHARE * (rest[ends[0]] - at[f"{side}_ankle"])
    _check_standing(at)
    body = make_body(_measures(at))
    middle = 0.5 * (at["left_hip"] + at["right_hip"])
    shift = middle + np.array([0, 0, HIP_DROP * body.size]) - at["pelvis"]
    return Source(joints, axes, _alignment(at), shift, body)


def standing_axes(rest, joints):
    """The turn `[3, 3]` from a file's axes to Z up, facing -Y, by where neck and left hip lie at rest."""
    up = _nearest_axis(rest[joints["neck"]] - 0.5 * (rest[joints["left_hip"]] + rest[joints["right_hip"]]))
    left = _nearest_axis(rest[joints["left_hip"]] - rest[joints["right_hip"]])
    if abs(up @ left) > 0.5:
        raise SkeletonError(NOT_STANDING)
    return np.stack([left, np.cross(up, left), up])


def _nearest_axis(direction):
    out, k = np.zeros(3), int(np.abs(direction).argmax())
    out[k] = np.sign(direction[k])
    return out


def _check_standing(at):
    """Refuses rest poses in which the legs don't hang down or the arms don't point away from the body."""
    for side, x in (("left", 1.0), ("right", -1.0)):
        leg = rot.normalize(at[f"{side}_ankle"] - at[f"{side}_hip"])
        arm = rot.normalize(at[f"{side}_wrist"] - at[f"{side}_shoulder"])
        if leg[2] > -0.8 or (x * arm[0] < 0.3 and arm[2] > -0.8):
            raise SkeletonError(NOT_STANDING)


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
    """A recorded clip as a Motion. `root [F, 3]` metres and `rotvec [F, J, 3]` local, in the source's axes."""
    return motion_of(source, root, rot.from_rotvec(rotvec), parents, fps)


def motion_of(source, root, local, parents, fps):
    """The same from quaternions `local [F, J, 4]`."""
    world = np.empty_like(local)
    for j, parent in enumerate(parents):
        world[:, j] = local[:, j] if parent < 0 else rot.multiply(world[:, parent], local[:, j])
    turn = rot.from_matrix(source.axes)
    world = rot.multiply(rot.multiply(turn, world), rot.conjugate(turn))
    turned = np.empty((len(root), COUNT, 4))
    for j, name in enumerate(JOINTS):
        if name in source.joints:
            turned[:, j] = rot.multiply(world[:, source.joints[name]], source.align[j])
        else:
            turned[:, j] = turned[:, PARENTS[j]]
    pelvis = root @ source.axes.T + rot.rotate(turned[:, 0], source.hip_shift)
    return Motion(pelvis, local_rotations(turned), source.body, fps)


def ground_height(positions, body):
    """Height of the ground under a clip: where the lowest toe stands in most of it. `positions [T, 22, 3]`."""
    toes = positions[:, [FEET[1], FEET[3]], 2].min(1)
    return float(np.percentile(toes, 10) - body.foot_heights[1])
