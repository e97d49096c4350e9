"""A clip of the scene -> a Request. Evaluates the scene and leaves it as it was."""

from contextlib import contextmanager

import numpy as np

from ..core.motion import FPS
from ..core.request import Character, Key, Request, Words
from ..core.skeleton import COUNT, INDEX, JOINTS, PARENTS
from . import rotation_modes
from .errors import SceneError
from .nla import our_strip, own_action, previous_of, set_previous_pose
from .path_curve import timed_path
from .retarget import body_of, check_writable, read_motion
from .rig_maps import map_rig
from .sampling import check_evaluated, time_kept
from .slots import assign, channelbag, check_editable

STILL = 1e-6  # metres and quaternion units that an animated rig moves more than


def read_generate(scene, clip):
    """The Request for character A alone: along the clip's path and through its own keyed poses."""
    duration = _duration(scene, clip)
    armature, rig_map = _character(scene, clip.character_a, "A")
    _check_target(armature, rig_map)
    keys = _keys(scene, clip, armature, rig_map, always_placed=clip.path is None)
    if clip.path is None and not keys:
        raise SceneError(
            f"{armature.name} has no path and no keyed pose between frames {clip.frame_start} and {clip.frame_end}. "
            "Draw a path, or key a pose."
        )
    path = None if clip.path is None else timed_path(clip.path, duration, scene, clip.frame_start)
    who = Character(armature.name, body_of(armature, rig_map), path=path, keys=keys)
    return _asked(clip, (who,), duration)


def read_partner(scene, clip):
    """The Request for B's reaction: A with the whole of its motion, B with its body and its own keyed poses."""
    duration = _duration(scene, clip)
    leader, leader_map = _character(scene, clip.character_a, "A")
    armature, rig_map = _character(scene, clip.character_b, "B")
    if leader == armature:
        raise SceneError(f"{leader.name} is both character A and character B. Choose two armatures.")
    _check_target(armature, rig_map)
    count = Request((), duration).frames
    rate = scene.render.fps / scene.render.fps_base
    frames = clip.frame_start + np.arange(count) / FPS * rate
    motion = read_motion(leader, leader_map, scene, frames, clip.ground)
    _check_moves(leader, motion)
    keys = _keys(scene, clip, armature, rig_map)
    both = (
        Character(leader.name, motion.body, motion=motion),
        Character(armature.name, body_of(armature, rig_map), keys=keys),
    )
    return _asked(clip, both, duration)


def _asked(clip, characters, duration):
    """The Request with what the clip's settings say of it as a whole."""
    words = (Words(clip.words.strip()),) if clip.words.strip() else ()
    return Request(
        characters, duration, clip.seed, clip.takes, steps=clip.steps, cleanup=clip.cleanup, words=words,
        text_guidance=clip.text_guidance,
    )  # fmt: skip


# --- checks -----------------------------------------------------------------------------------------------------------


def _duration(scene, clip):
    """Seconds from the clip's first frame to its last."""
    start, end = clip.frame_start, clip.frame_end
    if end < start:
        raise SceneError(f"{clip.name} ends at frame {end}, before its start at {start}. Set a later end.")
    if end == start:
        raise SceneError(f"{clip.name} lasts one frame only ({start}). Set a later end.")
    return (end - start) * scene.render.fps_base / scene.render.fps


def _character(scene, armature, role):
    if armature is None:
        raise SceneError(f"No armature is chosen as character {role}. Choose one in the clip.")
    rig_map = map_rig(armature)
    check_evaluated(scene, armature)
    return armature, rig_map


def _check_target(armature, rig_map):
    check_editable(armature)
    check_writable(armature, rig_map)


def _check_moves(armature, motion):
    """Raises SceneError if nothing animates a leader: it has no action or strip, and stands still."""
    moved = max(np.ptp(motion.root, axis=0).max(), np.ptp(motion.rotations, axis=0).max())
    if moved > STILL:
        return
    data = armature.animation_data
    if data is not None and data.action is not None and data.action_slot is None:
        raise SceneError(
            f"{armature.name} stands still: no slot of {data.action.name} is chosen. Choose it beside the action."
        )
    if data is None or (
        data.action is None and not any(len(track.strips) and not track.mute for track in data.nla_tracks)
    ):
        raise SceneError(f"{armature.name} has no animation that a partner could react to. Animate it first.")


# --- keys -------------------------------------------------------------------------------------------------------------


def _keys(scene, clip, armature, rig_map, always_placed=False):
    """Keys for the frames of the clip at which the user's own action keys a mapped bone.

    The hips' place is bound where their location is keyed; `always_placed`: everywhere, as nothing else says where the
    character is.
    """
    action, slot = own_action(clip, armature)
    if action is None or slot is None:
        return ()
    bag = channelbag(action, slot)
    keyed = {} if bag is None else _keyed_joints(bag, armature, rig_map, clip.frame_start, clip.frame_end)
    if not keyed:
        return ()
    frames = np.array(sorted(keyed))
    with own_animation(scene, clip, armature):
        motion = read_motion(armature, rig_map, scene, frames, clip.ground)
    seconds = (frames - clip.frame_start) * scene.render.fps_base / scene.render.fps
    keys = []
    for i, frame in enumerate(frames):
        joints, placed = keyed[frame]
        root = motion.root[i] if placed or always_placed else None
        keys.append(Key(float(seconds[i]), motion.rotations[i], joints, root))
    return tuple(keys)


def _keyed_joints(bag, armature, rig_map, start, end):
    """Frame -> (names of the joints whose rotation is keyed there, whether the hips' location is)."""
    turned, placed = {}, set()
    for joint, name in rig_map.bones.items():
        bone = armature.pose.bones[name]
        path = f"{bone.path_from_id()}."
        for frame in _key_frames(bag, path + rotation_modes.data_path(bone.rotation_mode), start, end):
            turned.setdefault(frame, set()).add(INDEX[joint])
        if joint == "pelvis":
            placed.update(_key_frames(bag, path + "location", start, end))
    return {f: (_bound(turned.get(f, set()), rig_map), f in placed) for f in turned.keys() | placed}


def _key_frames(bag, path, start, end):
    """Real-valued frames within the clip at which any channel of a property is keyed."""
    frames = set()
    for index in range(4):
        curve = bag.fcurves.find(path, index=index)
        if curve is not None and not curve.mute:
            points = np.empty(2 * len(curve.keyframe_points), np.float32)
            curve.keyframe_points.foreach_get("co", points)
            frames.update(float(f) for f in points[::2] if start - 1e-4 <= f <= end + 1e-4)
    return frames


def _bound(indices, rig_map):
    """Names of the bound joints: those keyed, and those without a bone that hang on them and so are known as well."""
    bound = set(indices)
    for j in range(1, COUNT):
        if JOINTS[j] not in rig_map.bones and PARENTS[j] in bound:
            bound.add(j)
    return tuple(JOINTS[j] for j in sorted(bound))


@contextmanager
def own_animation(scene, clip, armature):
    """While inside, the armature is animated as it was before a take of ours was shown or baked."""
    state, data = previous_of(clip, armature), armature.animation_data
    action, slot = own_action(clip, armature)
    if state is None or data is None or action == data.action:
        yield
        return
    now = (data.action, data.action_slot, data.action_blend_type, data.action_extrapolation, data.action_influence)
    track, _ = our_strip(clip, armature)
    with time_kept(scene, [armature]):
        try:
            if track is not None:
                track.mute = True
            set_previous_pose(state)
            _put(data, action, slot, state.blend_type, state.extrapolation, state.influence)
            yield
        finally:
            _put(data, *now)
            if track is not None:
                track.mute = False


def _put(data, action, slot, blend_type, extrapolation, influence):
    assign(data, action, slot)
    if blend_type:
        data.action_blend_type, data.action_extrapolation = blend_type, extrapolation
        data.action_influence = influence
