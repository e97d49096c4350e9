"""Mixamo, with or without its prefix (`mixamorig:`, `mixamorig1:`): prefixes are dropped before names are compared."""

NAME = "Mixamo"

_SIDE = {
    "hip": "UpLeg", "knee": "Leg", "ankle": "Foot", "foot": "ToeBase",
    "collar": "Shoulder", "shoulder": "Arm", "elbow": "ForeArm", "wrist": "Hand",
}  # fmt: skip

TABLES = (
    {
        "pelvis": "Hips", "spine1": "Spine", "spine2": "Spine1", "spine3": "Spine2", "neck": "Neck", "head": "Head",
        **{f"left_{joint}": f"Left{bone}" for joint, bone in _SIDE.items()},
        **{f"right_{joint}": f"Right{bone}" for joint, bone in _SIDE.items()},
    },
)  # fmt: skip
