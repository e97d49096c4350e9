"""Actions with a slot per character: whose slot is whose, and what animates an armature at the moment."""

from .errors import SceneError

ROLES = ("a", "b")  # character A and B of a clip
# Handles of the slots are kept on the action itself, since names change and an action may hold one character only.
_SLOT = "motiondiff_slot_{}"
_COPIED = "motiondiff_copied"


def mark(action, role, slot, copied=False):
    """Notes on the action that a slot belongs to the clip's character `role`, and whether it is a copy of its own."""
    action[_SLOT.format(role)] = slot.handle
    if copied:
        action[_COPIED] = slot.handle


def unmark(action):
    """Takes off whatever `mark` noted."""
    for key in [_COPIED, *(_SLOT.format(role) for role in ROLES)]:
        if key in action:
            del action[key]


def slot_of(action, role):
    """The slot of the clip's character `role` in one of our actions, or None."""
    return by_handle(action, action.get(_SLOT.format(role)))


def is_copied(action, slot):
    """Whether a slot of one of our actions holds a copy of the character's own animation."""
    return action.get(_COPIED) == slot.handle


def by_handle(action, handle):
    """The action's slot with this handle, or None."""
    return next((slot for slot in action.slots if slot.handle == handle), None)


def channelbag(action, slot):
    """What the action holds for a slot; None where it holds nothing."""
    for layer in action.layers:
        for strip in layer.strips:
            bag = strip.channelbag(slot)
            if bag is not None:
                return bag
    return None


def cast(clip):
    """`(role, armature)` of the clip's characters that are chosen."""
    both = zip(ROLES, (clip.character_a, clip.character_b))
    return [(role, armature) for role, armature in both if armature is not None]


def assign(data, action, slot):
    """Makes an action with a slot (or None) the active one, and checks that Blender took it."""
    if data.action != action:
        data.action = action
    if action is not None:
        data.action_slot = slot
        if data.action_slot != slot:
            raise SceneError(f"{action.name} can't animate {data.id_data.name}. Choose another action, or unlink it.")


def check_editable(armature):
    """Raises SceneError if the armature's animation can't be changed in this file."""
    if armature.library is not None:
        raise SceneError(
            f"{armature.name} is linked from another file. Make a library override (Object > Library Override > Make)."
        )
    if armature.animation_data is not None and armature.animation_data.use_tweak_mode:
        raise SceneError(f"An NLA strip of {armature.name} is being tweaked. Leave tweak mode (Tab in the NLA Editor).")
