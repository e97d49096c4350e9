"""The skeletons in which the CMU motion capture database goes round.

Three tables: the BVH conversion for MotionBuilder, the one for DAZ and Poser (no toes, two spine bones), and the bone
names of the database's own ASF files.
"""

NAME = "CMU BVH"


def _both_sides(table, left, right):
    out = {}
    for side, prefix in (("left", left), ("right", right)):
        out.update({f"{side}_{joint}": prefix + bone for joint, bone in table.items()})
    return out


MOTIONBUILDER = {
    "pelvis": "Hips", "spine1": "LowerBack", "spine2": "Spine", "spine3": "Spine1", "neck": "Neck", "head": "Head",
    **_both_sides(
        {
            "hip": "UpLeg", "knee": "Leg", "ankle": "Foot", "foot": "ToeBase",
            "collar": "Shoulder", "shoulder": "Arm", "elbow": "ForeArm", "wrist": "Hand",
        },
        "Left", "Right",
    ),
}  # fmt: skip

DAZ = {
    "pelvis": "hip", "spine1": "abdomen", "spine3": "chest", "neck": "neck", "head": "head",
    **_both_sides(
        {
            "hip": "Thigh", "knee": "Shin", "ankle": "Foot", "foot": "Toe",
            "collar": "Collar", "shoulder": "Shldr", "elbow": "ForeArm", "wrist": "Hand",
        },
        "l", "r",
    ),
}  # fmt: skip

ASF = {
    "pelvis": "root", "spine1": "lowerback", "spine2": "upperback", "spine3": "thorax",
    "neck": "lowerneck", "head": "head",
    **_both_sides(
        {
            "hip": "femur", "knee": "tibia", "ankle": "foot", "foot": "toes",
            "collar": "clavicle", "shoulder": "humerus", "elbow": "radius", "wrist": "wrist",
        },
        "l", "r",
    ),
}  # fmt: skip

TABLES = (MOTIONBUILDER, DAZ, ASF)
