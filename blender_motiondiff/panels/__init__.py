"""What is drawn in the sidebar. Panels read properties and the running job, and change nothing."""

from ..registration import register_classes, unregister_classes
from . import clips, settings

CLASSES = (clips.MOTIONDIFF_UL_clips, clips.MOTIONDIFF_PT_main, settings.MOTIONDIFF_PT_settings)


def register():
    register_classes(CLASSES)


def unregister():
    unregister_classes(CLASSES)
