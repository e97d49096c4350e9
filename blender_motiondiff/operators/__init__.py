"""The verbs, one a file: each polls, gathers, makes one call and reports."""

from ..registration import register_classes, unregister_classes
from . import (
    accept,
    bake,
    cancel,
    clip_add,
    clip_remove,
    draw_path,
    generate,
    generate_partner,
    reject,
    restore,
    take_show,
)

CLASSES = (
    clip_add.MOTIONDIFF_OT_clip_add,
    clip_remove.MOTIONDIFF_OT_clip_remove,
    draw_path.MOTIONDIFF_OT_draw_path,
    generate.MOTIONDIFF_OT_generate,
    generate_partner.MOTIONDIFF_OT_generate_partner,
    cancel.MOTIONDIFF_OT_cancel,
    take_show.MOTIONDIFF_OT_take_show,
    accept.MOTIONDIFF_OT_accept,
    reject.MOTIONDIFF_OT_reject,
    bake.MOTIONDIFF_OT_bake,
    restore.MOTIONDIFF_OT_restore,
)


def register():
    register_classes(CLASSES)


def unregister():
    unregister_classes(CLASSES)
