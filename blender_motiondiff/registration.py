"""Classes registered all or not at all."""

import bpy


def register_classes(classes):
    """Registers the classes in order; if one fails, takes the others back and raises its error."""
    done = []
    try:
        for cls in classes:
            bpy.utils.register_class(cls)
            done.append(cls)
    except BaseException:
        unregister_classes(done)
        raise


def unregister_classes(classes):
    """Takes them back, last first."""
    for cls in reversed(classes):
        bpy.utils.unregister_class(cls)
