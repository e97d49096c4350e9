"""From a request's courses to world features: window after window, every take in one batch."""

from dataclasses import dataclass, replace

import numpy as np

from .. import reference as ref
from .. import words
from ..cleanup.contacts import label_contacts
from ..constraints.trajectory import meet_path
from ..denoiser.layout import PATCH, slow_part
from ..features import SIZE, encode, of_joints
from ..motion import FPS, positions
from ..skeleton import INDEX
from .blending import over_frames, pair_and_single
from .conditions import build
from .course import share_in_time
from .guidance import push_away
from .samplers import SAMPLERS
from .steering import goals, steerer
from .vary import vary
from .windows import merge, spans

DENSE_STEP = 0.1  # of the noisy motion's norm, that dense guidance moves it by at most
STRAY = 2.0  # times the noise's slow part in a single call, so that takes differ there as they do after several
VARY_STEPS = 2  # calls at least when a motion is changed
BLOCK = 60  # frames whose noise comes from one stream, so that it is the same in whichever window they lie


@dataclass(frozen=True)
class Window:
    """The frames `part` of a clip, for every take: what Conditions hold, `[takes, P, T, ...]`."""

    part: slice
    base: np.ndarray
    spread: np.ndarray
    given: np.ndarray
    free: np.ndarray  # 1 where nothing is observed
    place: np.ndarray
    heading: np.ndarray
    present: np.ndarray  # [takes, P]


def open_window(request, courses, tables, part, bare=False):
    """The Window `part` (a slice of frames) of all takes, padded at its end to whole tokens."""
    found = build(request, courses, tables, part, bare)
    people, takes = len(request.characters), len(courses)
    present = np.full((takes, people), float(people == 2), np.float32)
    place, heading = (np.broadcast_to(rows, (takes, *rows.shape)) for rows in (found.place, found.heading))
    return Window(part, found.base, found.spread, found.given, found.free, place, heading, present)


def sample(request, courses, denoiser, callback=None):
    """World features of every take `[takes, P, T, 268]` in the shared frame; observations and dense paths are met.

    `courses`: one a take. `callback(i, n)` after each step of the sampler; it may raise to stop.
    """
    parts = spans(len(courses[0].times))

    def answer(number, part):
        window = open_window(request, courses, denoiser.weights.tables, slice(*part))
        return _answer(request, courses, window, denoiser, _shared_out(callback, number, len(parts)))

    return merge((answer(number, part) for number, part in enumerate(parts)), parts)


def _shared_out(callback, number, count):
    return None if callback is None else lambda i, n: callback(number * n + i, count * n)


def _answer(request, courses, window, denoiser, callback):
    """World features `[takes, P, T, 268]` of one window."""
    draws = iter(range(1 << 30))

    def draw():
        number = next(draws)
        if number == 0:
            return _first_noises(request, len(courses), window.part) * window.free
        return _noises(request, range(len(courses)), number, window.part) * window.free

    # A single call has nobody after it who could follow where it is steered.
    steer = steerer(request, courses, window) if request.steps > 1 else None

    def impose(clean, level):
        met = onto_paths(clean, window, courses) * window.free
        return met if steer is None else onto_paths(steer(met, level), window, courses) * window.free

    denoise = estimator(request, courses, window, denoiser)
    if any(c.vary is not None for c in request.characters):
        clean = _varied(request, courses, window, denoiser, denoise, draw, impose, callback)
    else:
        clean = SAMPLERS[request.sampler](denoise, draw(), request.steps, impose, draw, callback, request.repaint)
    frames = window.part.stop - window.part.start
    world = ref.to_world(window.base + window.spread * clean, window.place, window.heading)
    return world[:, :, :frames].astype(np.float32)


def _varied(request, courses, window, denoiser, denoise, draw, impose, callback):
    """Clean residuals of a window in which existing motions are changed: DDCM where something new is asked for.

    Where nothing is (the motion alone is given and a strength), the answer starts from the noised source (SDEdit).
    """
    strength = max(c.vary.strength for c in request.characters if c.vary is not None)
    source = sources(request, courses, window)
    asked = any(c.keys or c.pins or (c.path is not None and c.vary is not None) for c in request.characters)
    known = _translated(request, courses, window, denoiser, source) if asked else None
    mask = np.ones((1, len(request.characters), 1, 1), np.float32)
    return vary(known, denoise, source, max(request.steps, VARY_STEPS), strength, mask, draw, impose, callback)


def sources(request, courses, window):
    """Residuals `[takes, P, T, 268]` of the existing motions that are changed, 0 for whoever has none."""
    out = np.zeros_like(window.free)
    for p, (character, person) in enumerate(zip(request.characters, courses[0].people, strict=True)):
        if character.vary is None:
            continue
        motion, part = person.motion, window.part
        stands = label_contacts(positions(motion), motion.body, FPS)[part]
        world = encode(motion.root[part], motion.rotations[part], motion.body.offsets, stands)
        world = np.pad(world, [(0, out.shape[2] - len(world)), (0, 0)], mode="edge")
        for k in range(len(out)):
            own = ref.to_relative(world, window.place[k, p], window.heading[k, p])
            out[k, p] = (own - window.base[k, p]) / window.spread[k, p] * window.free[k, p]
    return out


def _noises(request, takes, draw, part):
    """Noise of some takes (their numbers) for the frames `part`, padded to whole tokens: `[takes, persons, T, 268]`."""
    stop = part.stop + (part.start - part.stop) % PATCH
    out = np.empty((len(takes), len(request.characters), stop - part.start, SIZE), np.float32)
    for own, take in zip(out, takes, strict=True):
        own[:] = noise(request.seed, take, draw, len(request.characters), part.start, stop)
    return out


def _first_noises(request, takes, part):
    """The noise that sampling begins with: the first take is the likeliest answer, the others stray from it.

    A single call begins its first take in the middle of all noise; on more of them it is noise but for its slow part.
    """
    if request.steps > 1:
        rows = _noises(request, range(takes), 0, part)
        rows[0] -= slow_part(rows[0])
        return rows
    strays = _noises(request, range(1, takes), 0, part)
    if takes > 1:
        strays += (STRAY - 1.0) * slow_part(strays)
    return np.concatenate([np.zeros((1, *strays.shape[1:]), np.float32), strays])


def noise(seed, take, draw, persons, start, stop):
    """Standard normal numbers `[persons, stop - start, 268]` of one take's own stream, the same in every window."""
    first, last = start // BLOCK, -(-stop // BLOCK)
    blocks = [
        np.random.default_rng([seed, take, draw, b]).standard_normal((persons, BLOCK, SIZE), np.float32)
        for b in range(first, last)
    ]
    return np.concatenate(blocks, 1)[:, start - first * BLOCK : stop - first * BLOCK]


def called(denoiser, window, loss=None):
    """`denoise(x, level) -> x0` of a window, in its own residuals.

    With a `loss` (steering.goals) and a back end that has a gradient, x is first moved against the loss' gradient
    through the network: a goal on one frame reaches all of them (dense guidance, GMD, section 4.3).
    """

    def denoise(x, level):
        rest = (window.given, window.free, level, window.present)
        if loss is not None:
            clean, back = denoiser.gradient(x, *rest, loss)
            back = back - slow_part(back)  # the noise's slow part chooses the take: that is not to be moved
            x = x - _polyak(loss(clean)[0], back, x) * back
        return denoiser(x, *rest)

    return denoise


def _polyak(value, slope, x):
    """The step at which a loss would be gone if it were linear (Polyak 1987), no longer than DENSE_STEP of x."""
    square = float((slope**2).sum())
    if square < 1e-20:
        return np.float32(0.0)
    return np.float32(min(value / square, DENSE_STEP * float(np.linalg.norm(x)) / square**0.5))


def _translated(request, courses, window, denoiser, clean):
    """`denoise(x, level)` without keys and pins, in the residuals of a window whose clean part `clean` is known.

    The answer without them lives in residuals of its own (another base and spread), so both are compared as features:
    the noise is the same, the clean part is carried over.
    """
    bare = open_window(request, courses, denoiser.weights.tables, window.part, bare=True)
    plain = called(denoiser, bare)
    before = (window.base + window.spread * clean - bare.base) / bare.spread

    def denoise(x, level):
        noisy = level * before + (x - level * clean)
        answer = bare.base + bare.spread * plain((noisy * bare.free).astype(np.float32), level)
        return ((answer - window.base) / window.spread).astype(np.float32)

    return denoise


def estimator(request, courses, window, denoiser):
    """The window's `denoise(x, level) -> x0`, pushed away from the answers without keys and pins, and without words.

    How far is what the request's constraint_guidance and text_guidance say (guidance.push_away).
    """
    if request.solos:
        weight = solo_weights(request.solos, courses[0].times[window.part], window.free.shape[2])
        denoiser = pair_and_single(denoiser, weight)
    dense = request.steps > 1 and getattr(denoiser, "gradient", None) is not None
    constrained = called(denoiser, window, goals(request, courses, window) if dense else None)
    worded = request.text_guidance != 1.0 and window.given[..., -words.COUNT :].any()
    if request.constraint_guidance == 1.0 and not worded:
        return constrained
    silent = called(denoiser, wordless(window)) if worded else None
    last = {"clean": np.zeros_like(window.free)}

    def denoise(x, level):
        full = constrained(x, level)
        plain = None
        if request.constraint_guidance != 1.0:
            plain = _translated(request, courses, window, denoiser, last["clean"])(x, level)
        unsaid = silent(x, level) if worded else None
        pushed = push_away(full, plain, unsaid, request.constraint_guidance, request.text_guidance)
        last["clean"] = (pushed * window.free).astype(np.float32)
        return last["clean"]

    return denoise


def solo_weights(solos, times, frames):
    """How far features are those of somebody alone `[frames, 268]`: where several say so, as the firmest does."""
    shares = [over_frames(s.weight * share_in_time(times, s.start, s.end), frames) for s in solos]
    return np.max([w * of_joints([INDEX[n] for n in s.joints]) for w, s in zip(shares, solos, strict=True)], 0)


def wordless(window):
    """The Window with nothing said."""
    given = window.given.copy()
    given[..., -words.COUNT :] = 0.0
    return replace(window, given=given)


def onto_paths(clean, window, courses):
    """Residuals `[takes, P, T, 268]` with every pelvis that a dense path binds moved onto it, in closed form."""
    out, takes, frames = clean, len(clean), window.part.stop - window.part.start
    for p, person in enumerate(courses[0].people):
        if person.target is None or person.waypoints is not None:
            continue
        if out is clean:
            out = clean.copy()
        at = (slice(None), p, slice(0, frames))
        base, spread = window.base[at][..., :2], window.spread[at][..., :2]
        place, heading = window.place[at], window.heading[at]
        world = ref.turn_xy(base + spread * clean[at][..., :2], heading) + place
        columns = world.swapaxes(0, 1).reshape(frames, 2 * takes)  # takes share the path and the keys that lie on it
        held = np.flatnonzero(window.free[0, p, :frames, 0] == 0)
        met = meet_path(columns, np.tile(person.target[window.part], takes), held, columns[held])
        met = met.reshape(frames, takes, 2).swapaxes(0, 1)
        out[at][..., :2] = (ref.turn_xy(met - place, -heading) - base) / spread
    return out
