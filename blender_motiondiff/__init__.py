"""MotionDiff: two characters that move together, generated on your own machine."""

MODULES = ("properties",)  # in order of registration

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
    """Takes back, last first, what `register` did."""
    while _registered:
        _registered.pop().unregister()
