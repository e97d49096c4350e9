"""Each verb is one undo step that restores every byte. Blender's data is looked up anew after each undo."""

import bpy
import pytest

from .conftest import everything


def clip():
    return bpy.context.scene.motiondiff.clips[0]


def press(name, **values):
    """Calls an operator as a button does, with its undo step."""
    assert getattr(bpy.ops.motiondiff, name)("EXEC_DEFAULT", True, **values) == {"FINISHED"}


def test_generate_is_one_step(duet, worker):
    bpy.ops.ed.undo_push(message="before")
    before = everything()
    press("generate_partner")
    after = everything()
    assert after != before
    bpy.ops.ed.undo()
    assert everything() == before
    bpy.ops.ed.redo()
    assert everything() == after


@pytest.mark.parametrize("name", ["bake", "reject", "restore", "accept", "take_show", "clip_add"])
def test_each_verb_is_one_step(duet, worker, name):
    duet.takes = 2
    bpy.ops.motiondiff.generate_partner()
    if name == "restore":
        bpy.ops.motiondiff.bake()
    bpy.ops.ed.undo_push(message="before")
    before = everything()
    press(name)
    after = everything()
    assert after != before
    bpy.ops.ed.undo()
    assert everything() == before
    bpy.ops.ed.redo()
    assert everything() == after


def test_undo_all_the_way_and_back_leaves_no_empty_action(duet, worker):
    bpy.ops.ed.undo_push(message="before")
    states = [everything()]
    for name in ("generate_partner", "accept", "bake", "restore", "reject"):
        press(name)
        states.append(everything())
    for state in reversed(states[:-1]):
        bpy.ops.ed.undo()
        assert everything() == state
    for state in states[1:]:
        bpy.ops.ed.redo()
        assert everything() == state


def test_a_verb_that_refuses_pushes_no_step(duet, worker):
    duet.seed = 5
    bpy.ops.ed.undo_push(message="seed 5")
    duet.frame_end = duet.frame_start
    bpy.ops.ed.undo_push(message="end")
    with pytest.raises(RuntimeError):
        bpy.ops.motiondiff.generate_partner("EXEC_DEFAULT", True)
    bpy.ops.ed.undo()
    assert clip().frame_end == 25


def test_generating_after_undo_works_on_what_is_there_then(duet, worker):
    bpy.ops.ed.undo_push(message="before")
    press("generate_partner")
    bpy.ops.ed.undo()
    press("generate_partner")
    assert [a.name for a in bpy.data.actions] == ["AnnAction", "Clip take 1"]
    assert clip().character_b.animation_data.action == clip().results[0].action


def test_removing_a_clip_is_undone(scene, worker):
    bpy.ops.motiondiff.clip_add()
    bpy.ops.ed.undo_push(message="before")
    before = everything()
    press("clip_remove")
    assert not len(scene.motiondiff.clips)
    bpy.ops.ed.undo()
    assert everything() == before
