"""What is measured: the network's own answers, the finished takes, and what does without a network."""

from collections import deque

from blender_motiondiff.core import reference as ref
from blender_motiondiff.core import words
from blender_motiondiff.core.diffusion.conditions import human_scale, in_shared_frame
from blender_motiondiff.core.diffusion.course import flattened, settle
from blender_motiondiff.core.diffusion.generate import generate
from blender_motiondiff.core.diffusion.guidance import push_away
from blender_motiondiff.core.diffusion.sampling import open_window
from blender_motiondiff.core.diffusion.timing import with_times
from blender_motiondiff.core.features import decode
from blender_motiondiff.core.motion import Motion, scaled, turned
from blender_motiondiff.core.request import validate

from . import baselines, tasks


def final(request, denoiser):
    """Takes as an animator gets them: projection, solve and cleanup included."""
    return generate(request, denoiser)


def raw(request, denoiser):
    """The network's answers, nothing imposed at the last step: a tuple of all characters' motions for each take."""
    return both(request, denoiser)[0]


def both(request, denoiser):
    """(`raw`, `final`) of one walk: what the network answered at its last call, decoded as it stands, and the takes.

    Between calls paths, constraints and wishes are imposed as they always are. For requests of one window, without
    existing motions to change, rough keys or guidance of constraints: there the last call is not the whole answer.
    """
    heard = deque(maxlen=2)
    takes = generate(request, _overheard(denoiser, heard))
    human, back = human_scale(validate(request))
    shared, heading, place = in_shared_frame(human)
    shared = with_times(shared)
    courses = settle(flattened(shared), request.takes)
    frames = len(courses[0].times)
    window = open_window(shared, courses, denoiser.weights.tables, slice(0, frames))
    clean = _answered(request, window, heard) * window.free
    world = ref.to_world(window.base + window.spread * clean, window.place, window.heading)[:, :, :frames]

    def motion(p, features):
        if request.characters[p].given:
            return request.characters[p].motion
        return scaled(turned(decode(features, shared.characters[p].body)[0], heading, place), back)

    return [tuple(motion(p, features) for p, features in enumerate(take)) for take in world.astype(float)], takes


def _answered(request, window, heard):
    """What the network answers in the end: its last call, or with words the last two (sampling.estimator)."""
    if request.text_guidance == 1.0 or not window.given[..., -words.COUNT :].any():
        return heard[-1]
    said, unsaid = heard
    return push_away(said, None, unsaid, 1.0, request.text_guidance)


def _overheard(denoiser, heard):
    """The denoiser, every answer of which is appended to `heard`."""

    def denoise(*given):
        heard.append(denoiser(*given))
        return heard[-1]

    for name in ("weights", "name", "device", "gradient"):
        setattr(denoise, name, getattr(denoiser, name, None))
    return denoise


# --- without a network ------------------------------------------------------------------------------------------------

BETWEEN_KEYS = ("spline",)
PARTNERS = ("nearest_partner", "mirrored_leader", "still", "pose_neighbours")
LEARNED = ("nearest_partner", "pose_neighbours")  # those that answer from the training couples
BASELINES = {"keys": BETWEEN_KEYS, "reaction": PARTNERS}  # by task


def baseline(name, window, pairs):
    """The Motion of a baseline for a Window. `pairs`: baselines.load_pairs of the training data, or None."""
    motion = window.motion
    if name == "spline":
        frames = tasks.key_frames(motion)
        keys = Motion(motion.root[frames], motion.rotations[frames], motion.body, motion.fps)
        return baselines.spline(frames, keys, motion.frames)
    if name == "mirrored_leader":
        return baselines.mirrored_leader(window.leader, motion.body)
    return getattr(baselines, name)(window.leader, motion.body, pairs)
