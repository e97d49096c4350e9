"""The canonical skeleton: 22 joints with the names and order of SMPL's body, and the bodies that wear it.

Frame: Z up, the character faces -Y, its left is +X. The rest pose is a T: arms along +-X, legs straight down. Only
names and order are SMPL's; the proportions of `average_body` are measured on the motion data this project trains on.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

JOINTS = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle", "right_ankle",
    "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
)  # fmt: skip
PARENTS = np.array([-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19])
# The joints but the pelvis, by their distance from it: all of a generation can be placed at once.
_DEPTH = [0]
for _parent in PARENTS[1:]:
    _DEPTH.append(_DEPTH[_parent] + 1)
GENERATIONS = tuple(np.flatnonzero(np.array(_DEPTH) == depth) for depth in range(1, max(_DEPTH) + 1))
INDEX = {name: i for i, name in enumerate(JOINTS)}
MIRROR = np.array([INDEX[n.replace("left", "@").replace("right", "left").replace("@", "right")] for n in JOINTS])
COUNT = len(JOINTS)

LEGS = (("left_hip", "left_knee", "left_ankle", "left_foot"), ("right_hip", "right_knee", "right_ankle", "right_foot"))
ARMS = (("left_shoulder", "left_elbow", "left_wrist"), ("right_shoulder", "right_elbow", "right_wrist"))
LEG_JOINTS = np.array([[INDEX[name] for name in leg] for leg in LEGS])  # [2 legs, hip knee ankle toe]
_LEG_BONES = LEG_JOINTS[:, 1:3].ravel()
# The order of the contact channels: InterGen's (left ankle, left toe, right ankle, right toe).
FEET = tuple(INDEX[n] for n in ("left_ankle", "left_foot", "right_ankle", "right_foot"))

TOE_HEIGHT = 0.02  # metres, of the toe joint over the ground when the foot stands flat, for a leg of 0.85 m
HIP_DROP = 0.09  # metres, of the hip joints under the pelvis joint, for a leg of 0.85 m
REFERENCE_LEG = 0.85  # metres, hip to ankle
# Heights of spine1, spine2, spine3, neck and collar above the pelvis, as shares of the neck's.
SPINE_SHARES = {"spine1": 0.20, "spine2": 0.41, "spine3": 0.66, "neck": 1.0}
COLLAR_SHARE = 0.90
COLLAR_WIDTH = 0.03  # metres from the middle, for a leg of 0.85 m


@dataclass(frozen=True)
class Measures:
    """Lengths that make a body, metres: what is read off any skeleton."""

    hip_width: float  # from the middle to a hip joint
    thigh: float
    shin: float
    foot_length: float  # ankle to toe joint, along the ground
    ankle_height: float  # of the ankle above the toe joint
    spine: float  # height of the neck above the middle of the hip joints
    neck: float  # neck joint to head joint
    shoulder_width: float  # from the middle to a shoulder joint
    shoulder_drop: float  # of the shoulder under the neck joint
    upper_arm: float
    forearm: float


@dataclass(frozen=True)
class Body:
    """A character's proportions: `offsets [22, 3]` from each joint's parent in the rest pose, metres."""

    offsets: np.ndarray

    @cached_property
    def leg(self):
        """Length hip to ankle, metres, mean of both legs."""
        bones = self.offsets[_LEG_BONES]
        return 0.5 * float(np.sqrt((bones * bones).sum(1)).sum())

    @property
    def size(self):
        """How large this body is against the one the constants are given for (1 at a leg of 0.85 m)."""
        return self.leg / REFERENCE_LEG

    @cached_property
    def rest_positions(self):
        """Joint positions `[22, 3]` in the rest pose with the pelvis at the origin."""
        out = np.zeros((COUNT, 3))
        for joints in GENERATIONS:
            out[joints] = out[PARENTS[joints]] + self.offsets[joints]
        out.flags.writeable = False
        return out

    @property
    def foot_heights(self):
        """Heights over the ground of the four contact joints (order of FEET) when standing at rest, metres."""
        z = self.rest_positions[list(FEET), 2]
        return z - z.min() + TOE_HEIGHT * self.size

    @property
    def standing_height(self):
        """Height of the pelvis over the ground when standing at rest, metres."""
        return float(TOE_HEIGHT * self.size - self.rest_positions[list(FEET), 2].min())

    def scaled(self, factor):
        """The same body, `factor` times as large."""
        return Body(self.offsets * factor)


def make_body(m):
    """A symmetrical body from its measures."""
    size = (m.thigh + m.shin) / REFERENCE_LEG
    drop, collar_x = HIP_DROP * size, COLLAR_WIDTH * size
    neck_z = m.spine - drop
    heights = {name: share * neck_z for name, share in SPINE_SHARES.items()}
    collar_z = COLLAR_SHARE * neck_z
    rest = {
        "pelvis": (0, 0, 0), "left_hip": (m.hip_width, 0, -drop), "left_knee": (m.hip_width, 0, -drop - m.thigh),
        "left_ankle": (m.hip_width, 0, -drop - m.thigh - m.shin),
        "left_foot": (m.hip_width, -m.foot_length, -drop - m.thigh - m.shin - m.ankle_height),
        **{name: (0, 0, z) for name, z in heights.items()},
        "head": (0, 0, neck_z + m.neck), "left_collar": (collar_x, 0, collar_z),
        "left_shoulder": (m.shoulder_width, 0, neck_z - m.shoulder_drop),
        "left_elbow": (m.shoulder_width + m.upper_arm, 0, neck_z - m.shoulder_drop),
        "left_wrist": (m.shoulder_width + m.upper_arm + m.forearm, 0, neck_z - m.shoulder_drop),
    }  # fmt: skip
    for name in [n for n in rest if n.startswith("left")]:
        x, y, z = rest[name]
        rest[name.replace("left", "right")] = (-x, y, z)
    positions = np.array([rest[name] for name in JOINTS], float)
    offsets = positions - positions[np.maximum(PARENTS, 0)]
    return Body(offsets)


def measures_of(body):
    """The measures that `make_body` would need for this body (its inverse, for symmetrical bodies)."""
    rest, drop = body.rest_positions, HIP_DROP * body.size
    at = {name: rest[i] for name, i in INDEX.items()}
    return Measures(
        hip_width=at["left_hip"][0], thigh=at["left_hip"][2] - at["left_knee"][2],
        shin=at["left_knee"][2] - at["left_ankle"][2], foot_length=at["left_ankle"][1] - at["left_foot"][1],
        ankle_height=at["left_ankle"][2] - at["left_foot"][2], spine=at["neck"][2] + drop,
        neck=at["head"][2] - at["neck"][2], shoulder_width=at["left_shoulder"][0],
        shoulder_drop=at["neck"][2] - at["left_shoulder"][2],
        upper_arm=at["left_elbow"][0] - at["left_shoulder"][0], forearm=at["left_wrist"][0] - at["left_elbow"][0],
    )  # fmt: skip


def average_body():
    """An adult of average build: the medians of the bodies in the training data, rounded to 5 mm."""
    return make_body(AVERAGE)


AVERAGE = Measures(
    hip_width=0.09, thigh=0.41, shin=0.435, foot_length=0.12, ankle_height=0.03, spine=0.45, neck=0.19,
    shoulder_width=0.19, shoulder_drop=-0.055, upper_arm=0.295, forearm=0.19,
)  # fmt: skip
