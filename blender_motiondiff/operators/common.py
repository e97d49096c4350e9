"""What the verbs share: whether they may be pressed, and how errors and warnings reach the user."""

from ..core.request import RequestError
from ..properties import active_clip, is_newer, migrate
from ..scene.errors import SceneError
from ..worker import job
from ..worker.client import WorkerError

_FOR_USER = (SceneError, RequestError, WorkerError)


def may_change(cls, context):
    """For `poll`: whether clips may be changed now; says why not."""
    if job.running() is not None:
        cls.poll_message_set("MotionDiff is already generating. Press Esc to cancel it, or wait")
        return False
    if is_newer(context.scene):
        cls.poll_message_set("The clips were saved by a newer MotionDiff. Update it to change them")
        return False
    return True


def may_change_clip(cls, context):
    """For `poll`: whether there is an active clip that may be changed now; says why not."""
    if not may_change(cls, context):
        return False
    if active_clip(context.scene) is None:
        cls.poll_message_set("There is no clip. Add one")
        return False
    return True


def perform(operator, context, verb):
    """Calls `verb(scene, clip)`, which returns `(what was done, warnings)`, and reports that or its error.

    Returns the operator's result. This is the one place that turns our errors into reports.
    """
    try:
        migrate(context.scene)
        done, warnings = verb(context.scene, active_clip(context.scene))
    except _FOR_USER as error:
        operator.report({"ERROR"}, str(error))
        return {"CANCELLED"}
    for warning in warnings:
        operator.report({"WARNING"}, warning)
    if done:
        operator.report({"INFO"}, done)
    return {"FINISHED"}
