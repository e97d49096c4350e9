"""A scene evaluated at any of its times, and left as it was."""

from contextlib import contextmanager

import bpy
import numpy as np

from .errors import SceneError

CHANNELS = ("location", "rotation_euler", "rotation_quaternion", "rotation_axis_angle", "scale")


def view_layer_of(scene):
    """The view layer in which a scene is evaluated: the user's if it is the user's scene, else its first."""
    return bpy.context.view_layer if bpy.context.scene == scene else scene.view_layers[0]


@contextmanager
def time_kept(scene, armatures):
    """Whatever is evaluated inside, the scene's frame and the armatures' poses, keyed or not, are as before."""
    frame, subframe = scene.frame_current, scene.frame_subframe
    owners = [owner for armature in armatures for owner in (armature, *armature.pose.bones)]
    values = [channels_of(owner) for owner in owners]
    try:
        yield
    finally:
        scene.frame_set(frame, subframe=subframe)
        for owner, own in zip(owners, values):
            set_channels(owner, own)
        view_layer_of(scene).update()


def channels_of(owner):
    """Values of the transform channels of a pose bone or object, all rotation modes, one after the other `[17]`."""
    return [float(v) for name in CHANNELS for v in getattr(owner, name)]


def set_channels(owner, values):
    """Sets what `channels_of` gave."""
    at = 0
    for name in CHANNELS:
        own = list(getattr(owner, name))
        value, at = list(values[at : at + len(own)]), at + len(own)
        # A write tags the object for evaluation and marks overridden properties: only what differs is written.
        if own != value:
            setattr(owner, name, value)


def pose_matrices(scene, armature, frames):
    """Evaluated matrices at real-valued scene frames: bones `[T, B, 4, 4]` in armature space, object `[T, 4, 4]`.

    Bones are in the order of `armature.pose.bones`. Constraints, drivers, NLA and parents all count. The caller keeps
    the time (`time_kept`).
    """
    check_evaluated(scene, armature)
    layer = view_layer_of(scene)
    count = len(armature.pose.bones)
    buffer = np.empty(count * 16, np.float32)
    poses, worlds = np.empty((len(frames), count, 4, 4)), np.empty((len(frames), 4, 4))
    for t, frame in enumerate(frames):
        whole = int(np.floor(frame))
        scene.frame_set(whole, subframe=float(frame - whole))
        evaluated = armature.evaluated_get(layer.depsgraph)
        evaluated.pose.bones.foreach_get("matrix", buffer)
        poses[t] = buffer.reshape(count, 4, 4).transpose(0, 2, 1)  # stored column by column
        worlds[t] = np.array(evaluated.matrix_world)
    return poses, worlds


def check_evaluated(scene, armature):
    """Raises SceneError if Blender does not evaluate the armature, so that its pose would be read wrong."""
    name = armature.name
    if armature.mode == "EDIT":
        raise SceneError(f"{name} is in Edit Mode. Leave it (Tab).")
    layer = view_layer_of(scene)
    layer.update()
    # Hidden ones are evaluated; those disabled or in an excluded collection are not, though `is_evaluated` may say so.
    if not any(known.original == armature for known in layer.depsgraph.ids):
        raise SceneError(f"{name} is disabled in this view layer. Enable it and its collections in the Outliner.")
    if armature.data.pose_position == "REST":
        raise SceneError(f"{name} is shown in its Rest Position. Switch its armature to Pose Position.")
