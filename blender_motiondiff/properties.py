"""What is saved with the file: the clips of a scene. No state of a running job is here."""

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from .core.request import MOST_TAKES
from .core.request.data import TEXT_GUIDANCE
from .core.skeleton import JOINTS
from .ids import SCENE_PROPERTY
from .registration import register_classes, unregister_classes
from .scene.errors import SceneError
from .scene.rig_maps import map_rig

# Raised by one whenever the meaning of what is saved changes, together with a step in `migrate`.
SCHEMA = 1


def _is_armature(_clip, candidate):
    return candidate.type == "ARMATURE"


def _is_curve(_clip, candidate):
    return candidate.type == "CURVE"


def _recognised(armature):
    """One line about the rig for the panel, written down when it is chosen so that drawing need not look."""
    if armature is None:
        return ""
    try:
        rig = map_rig(armature)
    except SceneError as error:
        return str(error)
    return f"{rig.convention}: {len(rig.bones)} of {len(JOINTS)} joints"


def _chose_a(clip, _context):
    clip.rig_a = _recognised(clip.character_a)


def _chose_b(clip, _context):
    clip.rig_b = _recognised(clip.character_b)


class MotionDiffPrevious(bpy.types.PropertyGroup):
    """What a character's animation data was before a take first took the place of its active action.

    The pointer gives the old action a user, so that it is saved with the file while nothing else uses it.
    """

    armature: PointerProperty(type=bpy.types.Object, name="Armature", poll=_is_armature)
    had_animation_data: BoolProperty(name="Had Animation Data")
    action: PointerProperty(type=bpy.types.Action, name="Action")
    slot_handle: IntProperty(name="Slot Handle")
    slot_identifier: StringProperty(name="Slot Identifier")
    blend_type: StringProperty(name="Blending")
    extrapolation: StringProperty(name="Extrapolation")
    influence: FloatProperty(name="Influence", default=1.0)
    track_name: StringProperty(name="Track", description="Name of the NLA track that was baked, empty if none was")
    strip_name: StringProperty(name="Strip", description="Name of the NLA strip that was baked, empty if none was")


class MotionDiffTake(bpy.types.PropertyGroup):
    """One generated take."""

    name: StringProperty(name="Name")
    action: PointerProperty(type=bpy.types.Action, name="Action", description="Action with a slot for each character")
    report: StringProperty(name="Report", description="What was met and how well, as JSON")


class MotionDiffClip(bpy.types.PropertyGroup):
    """One clip: who moves, when, and what came out of it."""

    name: StringProperty(name="Name", default="Clip")
    frame_start: IntProperty(name="Start", description="First frame of the clip", default=1)
    frame_end: IntProperty(name="End", description="Last frame of the clip", default=145)
    character_a: PointerProperty(
        type=bpy.types.Object,
        name="Character A",
        description="Armature that follows the path and its own keys, or leads the partner",
        poll=_is_armature,
        update=_chose_a,
    )
    character_b: PointerProperty(
        type=bpy.types.Object,
        name="Character B",
        description="Armature that reacts to character A",
        poll=_is_armature,
        update=_chose_b,
    )
    rig_a: StringProperty(name="Rig of A", description="What was recognised when character A was chosen")
    rig_b: StringProperty(name="Rig of B", description="What was recognised when character B was chosen")
    path: PointerProperty(
        type=bpy.types.Object,
        name="Path",
        description="Curve on the ground that character A follows from the start of the clip to its end",
        poll=_is_curve,
    )
    seed: IntProperty(name="Seed", description="Number that the randomness starts from", default=0, min=0)
    takes: IntProperty(name="Takes", description="How many variants to generate", default=4, min=1, max=MOST_TAKES)
    steps: IntProperty(
        name="Steps",
        description="Passes of the network over each take. More are slower and not always better",
        default=1,
        min=1,
        soft_max=20,
        max=1000,
    )
    words: StringProperty(
        name="Words",
        description="What the motion should be, as far as the model knows the words: walk slowly, turn left, dance",
    )
    text_guidance: FloatProperty(
        name="Follow Words",
        description="How firmly the motion does what the words say; 1 is as firmly as the model takes them by itself",
        default=TEXT_GUIDANCE,
        min=1.0,
        soft_max=4.0,
        max=20.0,
    )
    ground: FloatProperty(
        name="Ground", description="Height of the ground that the feet stand on", default=0.0, unit="LENGTH"
    )
    cleanup: BoolProperty(
        name="Clean Up Feet", description="Lock feet to the ground while they are in contact", default=True
    )
    results: CollectionProperty(type=MotionDiffTake, name="Results")
    leader: PointerProperty(
        type=bpy.types.Action,
        name="Leader",
        description="Take of character A that the partner's takes react to; comes back when these are rejected",
    )
    leader_report: StringProperty(name="Leader's Report", description="Report of that take, as JSON")
    shown: IntProperty(name="Shown Take", description="Index of the take that is previewed, -1 if none", default=-1)
    accepted: BoolProperty(name="Accepted")
    baked: BoolProperty(name="Baked")
    previous: CollectionProperty(type=MotionDiffPrevious, name="Previous Animation")


class MotionDiffScene(bpy.types.PropertyGroup):
    """The clips of a scene."""

    # 0: never used. Only a value that was set is saved, so the default can't stand for the version.
    schema: IntProperty(name="Schema", default=0)
    clips: CollectionProperty(type=MotionDiffClip, name="Clips")
    active_clip: IntProperty(name="Active Clip", default=0)


CLASSES = (MotionDiffPrevious, MotionDiffTake, MotionDiffClip, MotionDiffScene)


def active_clip(scene):
    """The clip that is chosen in the list, or None. Changes nothing."""
    data = getattr(scene, SCENE_PROPERTY)
    return data.clips[data.active_clip] if 0 <= data.active_clip < len(data.clips) else None


def is_newer(scene):
    """Whether the scene's clips were saved by a version that knows more than this one."""
    return getattr(scene, SCENE_PROPERTY).schema > SCHEMA


def migrate(scene):
    """Brings what a file holds up to SCHEMA; called by what changes clips, never while drawing."""
    data = getattr(scene, SCENE_PROPERTY)
    # Schema 1 is the first: all that lies below it is a scene without clips.
    data.schema = max(data.schema, SCHEMA)


def register():
    register_classes(CLASSES)
    setattr(bpy.types.Scene, SCENE_PROPERTY, PointerProperty(type=MotionDiffScene, name="MotionDiff"))


def unregister():
    delattr(bpy.types.Scene, SCENE_PROPERTY)
    unregister_classes(CLASSES)
