"""Takes on the characters: shown as the active action, baked into NLA strips, and the way back.

What an armature's animation data was before a take first replaced its active action is kept in `clip.previous`, saved
with the file, together with the pose of the bones that a take keys (what is keyed in the take alone would stay as the
take left it). The user's actions and tracks are never edited. Each function returns warnings for the user.
"""

import bpy

from .errors import SceneError
from .sampling import channels_of, set_channels
from .slots import assign, by_handle, cast, channelbag, check_editable, is_copied, slot_of

TRACK = "MotionDiff: {}"
POSE = "pose"  # custom property of a PreviousState: bone name -> its channels


def show(clip, action):
    """Makes a take's action the active one of each character that has a slot in it."""
    members = _members(clip, action)
    for role, armature in members:
        state = _remember(clip, armature, action, slot_of(action, role))
        _remove_strip(clip, state)
        data = armature.animation_data
        assign(data, action, slot_of(action, role))
        _set_mixing(data, "REPLACE", "HOLD", 1.0)
    clip.baked = False
    bpy.context.view_layer.update()
    return [w for _, armature in members for w in _solo_warnings(armature)]


def bake(scene, clip):
    """Puts the shown take (else the first) on a track of our own on each character, and unassigns active actions.

    The generated character's strip lasts as long as the clip. That of a character whose animation was copied lasts as
    long as the animation, so that it moves outside the clip as it did before.
    """
    action = _chosen(clip)
    members = _members(clip, action)
    warnings = []
    for role, armature in members:
        state = _remember(clip, armature, action, slot_of(action, role))
        _remove_strip(clip, state)
        data = armature.animation_data
        others = len(data.nla_tracks) > 0
        assign(data, None, None)
        track = data.nla_tracks.new()
        track.name = TRACK.format(clip.name)
        strip = _new_strip(track, clip, action, slot_of(action, role))
        # Under a strip that holds, nothing below it would play outside the clip.
        strip.extrapolation = "NOTHING" if others else "HOLD"
        state.track_name, state.strip_name = track.name, strip.name
        warnings += _solo_warnings(armature)
        if not data.use_nla:
            warnings.append(f"The NLA of {armature.name} is switched off, so the strip does not play. Switch it on.")
    clip.baked = True
    bpy.context.view_layer.update()
    return warnings


def restore(clip):
    """Gives each character back the action, slot and settings it had, and removes our strips."""
    warnings = []
    for state in clip.previous:
        if state.armature is not None:
            check_editable(state.armature)
    for state in clip.previous:
        if state.armature is not None:
            _remove_strip(clip, state)
            warnings += _give_back(clip, state)
            set_previous_pose(state)
    clip.previous.clear()
    clip.baked = False
    clip.shown = -1
    bpy.context.view_layer.update()
    return warnings


def reject(clip):
    """Restores the characters and removes the clip's takes with their actions."""
    warnings = restore(clip)
    actions = [item.action for item in clip.results if item.action is not None]
    clip.results.clear()
    clip.accepted = False
    for action in actions:
        remove_unused(action)
    return warnings


def remove_unused(action):
    """Removes one of our actions, unless something uses it or the user asked to keep it."""
    if action.users == 0:
        bpy.data.actions.remove(action)


def own_action(clip, armature):
    """`(action, slot)` of the user's own active action, whatever take is shown or baked instead; None for none."""
    data, state = armature.animation_data, previous_of(clip, armature)
    if state is not None and (data is None or data.action is None or is_ours(clip, data.action)):
        return state.action, _own_slot(state)
    return (None, None) if data is None else (data.action, data.action_slot)


def previous_of(clip, armature):
    """The clip's PreviousState of an armature, or None."""
    return next((state for state in clip.previous if state.armature == armature), None)


def is_ours(clip, action):
    """Whether an action is one of the clip's takes."""
    return action is not None and any(item.action == action for item in clip.results)


def our_strip(clip, armature):
    """`(track, strip)` that the clip was baked to on an armature, or (None, None)."""
    state, data = previous_of(clip, armature), armature.animation_data
    if state is None or not state.strip_name or data is None:
        return None, None
    strips = [(track, strip) for track in data.nla_tracks for strip in track.strips]
    named = [(t, s) for t, s in strips if (t.name, s.name) == (state.track_name, state.strip_name)]
    # Renamed by the user: then it is known by its action.
    return next(iter(named + [(t, s) for t, s in strips if is_ours(clip, s.action)]), (None, None))


# --- steps ------------------------------------------------------------------------------------------------------------


def _chosen(clip):
    if not len(clip.results):
        raise SceneError(f"{clip.name} has no takes. Generate some first.")
    action = clip.results[clip.shown if 0 <= clip.shown < len(clip.results) else 0].action
    if action is None:
        raise SceneError(f"The action of this take of {clip.name} was deleted. Choose another take, or generate again.")
    return action


def _members(clip, action):
    """`(role, armature)` of the characters that the take's action is for.

    A linked leader can't be given another action, and needs none: what it does is what its slot is a copy of.
    """
    members = [(role, armature) for role, armature in cast(clip) if slot_of(action, role) is not None]
    if not members:
        raise SceneError(f"{action.name} has no slot for the characters of {clip.name}. Generate the clip again.")
    members = [(r, o) for r, o in members if o.library is None or not is_copied(action, slot_of(action, r))]
    for _, armature in members:
        check_editable(armature)
    return members


def _remember(clip, armature, action, slot):
    """The clip's record of what the armature's animation data and pose were, written once."""
    state = previous_of(clip, armature)
    if state is None:
        data = armature.animation_data
        state = clip.previous.add()
        state.armature = armature
        state.had_animation_data = data is not None
        if data is not None:
            state.action = data.action
            own = data.action_slot
            state.slot_handle = own.handle if own else 0
            state.slot_identifier = own.identifier if own else ""
            state.blend_type, state.extrapolation = data.action_blend_type, data.action_extrapolation
            state.influence = data.action_influence
    _remember_pose(state, armature, channelbag(action, slot))
    if armature.animation_data is None:
        armature.animation_data_create()
    return state


def _remember_pose(state, armature, bag):
    known = state.get(POSE)
    known = {} if known is None else known.to_dict()
    keyed = {curve.data_path.split('"')[1] for curve in bag.fcurves if curve.data_path.startswith("pose.bones")}
    for name in keyed - known.keys():
        if name in armature.pose.bones:
            known[name] = channels_of(armature.pose.bones[name])
    state[POSE] = known


def set_previous_pose(state):
    """Puts the bones that takes key back to where they were before the first take was shown."""
    for name, values in state.get(POSE, {}).items():
        if name in state.armature.pose.bones:
            set_channels(state.armature.pose.bones[name], values)


def _new_strip(track, clip, action, slot):
    start, end = clip.frame_start, clip.frame_end
    if is_copied(action, slot):
        first, last = action.curve_frame_range
        start, end = int(min(start, first)), int(-(-max(end, last) // 1))
    strip = track.strips.new(clip.name, start, action)
    strip.action_slot = slot
    strip.use_sync_length = False
    strip.action_frame_start, strip.action_frame_end = start, end
    strip.scale, strip.repeat = 1.0, 1.0
    strip.frame_start, strip.frame_end = start, end
    strip.influence = 1.0  # new strips come with none
    strip.blend_type = "REPLACE"
    if strip.action_slot != slot:
        raise SceneError(f"The NLA strip did not take the slot {slot.name_display} of {action.name}. Generate again.")
    return strip


def _remove_strip(clip, state):
    """Takes our strip off the NLA, and its track if nothing else is on it."""
    track, strip = our_strip(clip, state.armature)
    if strip is not None:
        track.strips.remove(strip)
        if not len(track.strips):
            state.armature.animation_data.nla_tracks.remove(track)
    state.track_name = state.strip_name = ""


def _give_back(clip, state):
    armature, data = state.armature, state.armature.animation_data
    if data is None:
        return []
    if data.action is not None and not is_ours(clip, data.action) and data.action != state.action:
        if state.action is not None:
            state.action.use_fake_user = True
            return [
                f"{armature.name} keeps {data.action.name}, assigned since; {state.action.name} is kept in the file."
            ]
        return []
    assign(data, state.action, _own_slot(state))
    if state.had_animation_data:
        _set_mixing(data, state.blend_type, state.extrapolation, state.influence)
    elif not len(data.nla_tracks) and not len(data.drivers):
        armature.animation_data_clear()
    return []


def _own_slot(state):
    """The slot that the user's own action was bound to, or None."""
    if state.action is None or not state.slot_identifier:
        return None
    return by_handle(state.action, state.slot_handle) or state.action.slots.get(state.slot_identifier)


def _set_mixing(data, blend_type, extrapolation, influence):
    data.action_blend_type, data.action_extrapolation = blend_type, extrapolation
    data.action_influence = influence


def _solo_warnings(armature):
    return [
        f"Track {track.name} of {armature.name} is soloed, so nothing else plays. Switch solo off to see the take."
        for track in armature.animation_data.nla_tracks
        if track.is_solo
    ]
