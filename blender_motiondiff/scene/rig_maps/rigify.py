"""Rigify's human metarig, and armatures made with its names."""

NAME = "Rigify metarig"

_SIDE = {
    "hip": "thigh", "knee": "shin", "ankle": "foot", "foot": "toe",
    "collar": "shoulder", "shoulder": "upper_arm", "elbow": "forearm", "wrist": "hand",
}  # fmt: skip

# spine.005 lies between neck and head and is left alone.
TABLES = (
    {
        "pelvis": "spine", "spine1": "spine.001", "spine2": "spine.002", "spine3": "spine.003",
        "neck": "spine.004", "head": "spine.006",
        **{f"left_{joint}": f"{bone}.L" for joint, bone in _SIDE.items()},
        **{f"right_{joint}": f"{bone}.R" for joint, bone in _SIDE.items()},
    },
)  # fmt: skip
