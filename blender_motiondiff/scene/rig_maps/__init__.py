"""Which bone of an armature is which joint of the canonical skeleton: one small file a naming convention."""

from dataclasses import dataclass

from ...core.skeleton import JOINTS
from ..errors import SceneError
from . import cmu_bvh, mixamo, rigify

CONVENTIONS = (rigify, mixamo, cmu_bvh)
# A joint of these without a bone of its own moves with its parent.
OPTIONAL = frozenset(
    ("spine2", "spine3", "neck", "left_collar", "right_collar", "left_foot", "right_foot")
)  # fmt: skip
REQUIRED = tuple(j for j in JOINTS if j not in OPTIONAL)


@dataclass(frozen=True)
class RigMap:
    """`convention`: whose names they are, as the user knows it. `bones`: joint name -> bone name."""

    convention: str
    bones: dict[str, str]


def map_rig(armature):
    """The RigMap of an armature object, local, linked or overridden. Raises SceneError naming the missing bones."""
    if armature is None:
        raise SceneError("No armature is chosen. Choose one in the clip's settings.")
    if armature.type != "ARMATURE":
        raise SceneError(f"{armature.name} is no armature. Choose the armature that moves it.")
    plain = {}
    for bone in armature.data.bones:
        plain.setdefault(_plain(bone.name), bone.name)
    return _best(armature.name, plain)


def _best(name, plain):
    candidates = []
    for convention in CONVENTIONS:
        for table in convention.TABLES:
            found = {joint: plain[bone] for joint, bone in table.items() if bone in plain}
            missing = [table[joint] for joint in REQUIRED if joint not in found]
            candidates.append((found, missing, convention.NAME))
    whole = [c for c in candidates if not c[1]]
    if whole:
        found, _, convention = max(whole, key=lambda c: len(c[0]))
        return RigMap(convention, {joint: found[joint] for joint in JOINTS if joint in found})
    found, missing, convention = max(candidates, key=lambda c: len(c[0]))
    known = ", ".join(c.NAME for c in CONVENTIONS)
    if len(found) < len(REQUIRED) // 2:
        raise SceneError(
            f"The bones of {name} follow none of the known naming conventions ({known}). Rename them to one of these."
        )
    raise SceneError(
        f"{name} looks like a {convention} rig, but has no bone named {', '.join(missing)}. "
        "Rename the bones that stand for them."
    )


def _plain(name):
    """A bone's name without namespaces such as `mixamorig:`."""
    return name.rsplit(":", 1)[-1]
