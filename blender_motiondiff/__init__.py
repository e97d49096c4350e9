"""MotionDiff: two characters that move together, generated on your own machine."""

MODULES = ("preferences", "properties", "operators", "panels")  # in order of registration

_registered = []


def register():
    """Registers every module of MODULES, or none: what was registered before a failure is taken back."""
    from importlib import import_module

    try:
        for name in MODULES:
            module = import_module(f".{name}", __package__)
            module.register()
            _registered.append(module)
    except BaseException:
        unregister()
        raise


def unregister():
    """Takes back, last first, what `register` did. One module's failure keeps no other from leaving."""
    errors = []
    while _registered:
        try:
            _registered.pop().unregister()
        except Exception as error:
            errors.append(error)
    if errors:
        raise errors[0]
