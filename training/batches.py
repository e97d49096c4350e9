"""Training batches: windows -> world features -> frames, base, spread -> what the network is given and must answer."""

from dataclasses import dataclass, replace

import numpy as np

from blender_motiondiff.core import reference as ref
from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.constraints.trajectory import smooth_pelvis, smooth_through
from blender_motiondiff.core.features import ROTATIONS, SIZE, encode
from blender_motiondiff.core.motion import FPS
from blender_motiondiff.core.reference import OWN, PARTNER, PATH

from .augment import SPEEDS, usable_starts, windows
from .pack import DatasetError
from .tasks import couple_task, single_task

KNOTS = (0.6, 1.1)  # seconds between the knots of the smoothed paths
SLOWEST_WALK = 0.25  # metres a second: slower windows are headed as the body is, not along the path
GIVEN_HEADING = 0.2  # share of the other windows that are headed so as well
SPARSE = 0.25  # share of the paths that are told by waypoints alone
COMPOSED = 0.15  # share of the couples that are put together from single clips: recorded ones weigh more
# Couples come together at the beginning of a take and hardly anywhere else: share of their windows that begin there.
BEGINNINGS, BEGINNING_SECONDS = 0.25, 2.0
LENGTHS_MEASURED = (48, 90, 150)  # frames of the windows that statistics are taken of
WAYPOINTS = (2, 6)  # how many, the last one excluded


@dataclass(frozen=True)
class Batch:
    """Arrays of one kind of window, float32, leading axes `[B, P, T]` unless said."""

    target: np.ndarray  # residual / spread, 0 where observed
    mask: np.ndarray
    base: np.ndarray
    spread: np.ndarray
    given: np.ndarray
    contacts: np.ndarray
    place: np.ndarray  # [B, P, T, 2]
    heading: np.ndarray  # [B, P, T]
    offsets: np.ndarray  # [B, P, 22, 3]
    present: np.ndarray  # [B, P] partner there


def _entries(groups, frames):
    """(persons and the first frames of their windows, the chance of each) of groups of clips played together.

    `frames`: of the core, that a window needs.
    """
    entries = []
    for persons in groups:
        length = int(np.ceil(frames * persons[0].motion.fps / FPS)) + 1
        count = min(c.motion.frames for c in persons)
        good = np.logical_and.reduce([c.good[:count] for c in persons])
        starts = usable_starts(good, length)
        if len(starts):
            entries.append((persons, starts))
    chance = np.array([len(s) ** 0.6 for _, s in entries])
    return entries, chance / max(chance.sum(), 1e-9)


class Sampler:
    """Draws windows from the clips: singles, and couples as (leader, follower) pairs.

    `bent`: clips bent to other paths (training.bend), beside the recorded ones. `composed`: pairs of clips put together
    (training.compose), a COMPOSED share of the couples.
    """

    def __init__(self, clips, seed, augment=True, bent=(), composed=()):
        self.rng = np.random.default_rng(seed)
        self.augment = augment
        self.singles = [*clips.values(), *bent]
        self.couples = [(c, clips[c.partner]) for c in clips.values() if c.partner in clips and c.name < c.partner]
        self.composed = list(composed)
        self._starts = {}

    def _pool(self, frames):
        """Per window length: the clips that hold one, their possible starts, and the chance of each."""
        if frames not in self._starts:
            slowest = SPEEDS[1] if self.augment else 1.0
            pools = [_entries(group, frames * slowest) for group in ([(c,) for c in self.singles], self.couples)]
            if self.composed:
                made, chance = _entries(self.composed, frames * slowest)
                real, own = pools[1]
                share = COMPOSED if real and made else float(bool(made))
                pools[1] = real + made, np.concatenate([(1 - share) * own, share * chance])
            self._starts[frames] = pools
        return self._starts[frames]

    def holds(self, frames):
        """Whether any clip of one person is long enough for windows of `frames` frames."""
        return len(self._pool(frames)[0][0]) > 0

    def pairs(self, frames):
        """Whether any couple is long enough for windows of `frames` frames."""
        return len(self._pool(frames)[1][0]) > 0

    def draw(self, count, frames, couples):
        """`count` windows of `frames` frames. Raises DatasetError where no clip holds one."""
        entries, chance = self._pool(frames)[1 if couples else 0]
        if not entries:
            seconds = frames * (SPEEDS[1] if self.augment else 1.0) / FPS
            whom = "two people, nor two clips that can be put together," if couples else "one person"
            raise DatasetError(
                f"No recording of {whom} is {seconds:.1f} s long without a break. Training needs such clips, and "
                "others to choose checkpoints by (the dataset's report tells the parts apart). Add longer recordings."
            )
        picks = []
        for i in self.rng.choice(len(entries), size=count, p=chance):
            persons, starts = entries[i]
            if couples and self.augment and self.rng.random() < BEGINNINGS:
                starts = starts[starts <= starts[0] + BEGINNING_SECONDS * persons[0].motion.fps]
            start = int(self.rng.choice(starts))
            picks.append(tuple((clip, start) for clip in persons))
        return windows(picks, frames, self.rng, self.augment)


def path_frames(pelvis, root_heading, rng):
    """Frames along the smoothed pelvis `[T, 2]`, headed along it; where it hardly moves, and at times, as the body."""
    place = smooth_pelvis(pelvis, knot_seconds=rng.uniform(*KNOTS))
    if rng.random() < SPARSE:
        place = through_waypoints(place, rng)
    along = ref.path_heading(place)
    walks = np.linalg.norm(np.diff(place, axis=0), axis=-1).sum() > SLOWEST_WALK * len(along) / FPS
    if not walks or rng.random() < GIVEN_HEADING:
        along = ref.smooth_heading(root_heading, 0.3)
    return place, along


def through_waypoints(place, rng):
    """The curve `[T, 2]` that a request would lay through a few points of a path `[T, 2]`, its ends among them."""
    inner = np.arange(1, len(place) - 1)
    chosen = rng.choice(inner, min(int(rng.integers(*WAYPOINTS)) - 2, len(inner)), replace=False)
    frames = np.concatenate([[0], np.sort(chosen), [len(place) - 1]])
    return smooth_through(frames / FPS, place[frames], np.arange(len(place)) / FPS, (False, False))


def lay_frames(features, root_heading, masks, sources, rng):
    """Places `[B, P, T, 2]` and headings `[B, P, T]` of every window's persons, as the product would lay them."""
    pelvis = features[..., :2]
    place, heading = pelvis.copy(), root_heading.copy()
    for at in np.ndindex(sources.shape):
        if sources[at] == PATH:
            place[at], heading[at] = path_frames(pelvis[at], root_heading[at], rng)
        elif sources[at] == OWN and masks[at][:, 0].all():
            place[at], heading[at] = ref.own_frames(pelvis[at], root_heading[at])
        elif sources[at] == OWN:
            keyed = np.flatnonzero(masks[at][:, 0] & masks[at][:, ROTATIONS.start])
            place[at], heading[at] = ref.keyed_frames(
                len(heading[at]), keyed, pelvis[at][keyed], keyed, root_heading[at][keyed]
            )
    for b, p in np.argwhere(sources == PARTNER):
        place[b, p], heading[b, p] = ref.facing(place[b, 1 - p], heading[b, 1 - p])
    return place, heading


def draw_tasks(rng, win):
    """(masks `[B, P, T, 268]`, sources `[B, P]`) at random for windows."""
    count, persons, frames = win.root.shape[:3]
    moments = win.gestures[:, 0].astype(int)
    drawn = [couple_task(rng, frames) if persons == 2 else single_task(rng, frames, moments[b]) for b in range(count)]
    masks = np.stack([np.reshape(m, (persons, frames, -1)) for m, _ in drawn])
    return masks, np.stack([np.reshape(s, persons) for _, s in drawn])


def in_frames(win, rng, tasks=None):
    """(relative features, masks, sources, places, headings) of windows, for tasks drawn at random unless given."""
    features = encode(win.root, win.rotations, win.offsets[:, :, None], win.contacts).astype(np.float32)
    root_heading = np.unwrap(rot.heading(win.rotations[..., 0, :]), axis=-1).astype(np.float32)
    masks, sources = tasks if tasks is not None else draw_tasks(rng, win)
    place, heading = lay_frames(features, root_heading, masks, sources, rng)
    return ref.to_relative(features, place, heading), masks, sources, place, heading


def prepare(win, tables, rng, tasks=None):
    """Windows -> Batch. `tasks`: (masks `[B, P, T, 268]`, sources `[B, P]`), drawn at random unless given."""
    relative, masks, sources, place, heading = in_frames(win, rng, tasks)
    persons = sources.shape[1]
    base = ref.base_of(tables, sources, relative, masks, place, heading).astype(np.float32)
    spread = ref.spread(tables, sources, masks).astype(np.float32)
    target = np.where(masks, 0, np.clip((relative - base) / spread, -6, 6))
    present = np.full(sources.shape, float(persons == 2), np.float32)
    other = np.arange(persons)[::-1]
    extra = ref.extras(sources, masks, place, heading, place[:, other], heading[:, other], present, win.measures)
    said = np.broadcast_to(win.words[:, :, None], (*heading.shape, win.words.shape[-1]))
    network_input = ref.given(tables, sources, base, masks, extra, said)
    return Batch(
        target.astype(np.float32), masks, base, spread, network_input, win.contacts, place.astype(np.float32),
        heading.astype(np.float32), win.offsets, present,
    )  # fmt: skip


def measure_tables(sampler, rounds=60, frames=LENGTHS_MEASURED, report=print):
    """Tables of means, deviations and spreads over random windows and tasks."""
    mean, deviation = _means(sampler, rounds, frames)
    report("means measured")
    tables = ref.Tables(mean, deviation, np.ones((ref.SOURCES, len(ref.DISTANCES) + 1, SIZE), np.float32))
    return measure_spread(sampler, tables, rounds, frames)


def _draws(sampler, rounds, frames):
    frames = [n for n in frames if sampler.holds(n) and sampler.pairs(n)] or frames[:1]
    for i in range(rounds):
        yield sampler.draw(24, frames[i % len(frames)], couples=False)
        yield sampler.draw(12, frames[i % len(frames)], couples=True)


def _means(sampler, rounds, frames):
    sums, squares, counts = np.zeros((3, SIZE)), np.zeros((3, SIZE)), np.zeros(3)
    for win in _draws(sampler, rounds, frames):
        relative, _, sources, _, _ = in_frames(win, sampler.rng)
        for s in range(ref.SOURCES):
            rows = relative[sources == s].reshape(-1, SIZE)
            sums[s] += rows.sum(0)
            squares[s] += (rows.astype(np.float64) ** 2).sum(0)
            counts[s] += len(rows)
    mean = sums / counts[:, None]
    variance = squares.sum(0) / counts.sum() - (sums.sum(0) / counts.sum()) ** 2
    return mean.astype(np.float32), np.sqrt(np.maximum(variance, 1e-4)).astype(np.float32)


def measure_spread(sampler, tables, rounds=60, frames=LENGTHS_MEASURED):
    """The tables with the spread about the base that they make, over random windows and tasks."""
    bins = len(ref.DISTANCES) + 1
    squares, counts = np.zeros((3, bins, SIZE)), np.full((3, bins, SIZE), 1e-6)
    for win in _draws(sampler, 3 * rounds, frames):
        relative, masks, sources, place, heading = in_frames(win, sampler.rng)
        base = ref.base_of(tables, sources, relative, masks, place, heading)
        distance = ref.nearest_distance(ref.grouped(masks))[..., ref.GROUPS]
        index = np.searchsorted(ref.DISTANCES, distance, side="right") - 1
        index[distance == ref.NO_OBSERVATION] = bins - 1
        error = (relative - base) ** 2 * ~masks
        for s in range(ref.SOURCES):
            chosen = sources == s
            for k in range(bins):
                hit = (index[chosen] == k) & ~masks[chosen]
                squares[s, k] += (error[chosen] * hit).sum((0, 1))
                counts[s, k] += hit.sum((0, 1))
    return replace(tables, spread=_fill(np.sqrt(squares / counts), counts))


def _fill(spread, counts, least=50):
    """Rarely met distances take the nearest better-known one's value; nothing is below a floor."""
    out = spread.copy()
    for s, c in np.ndindex(spread.shape[0], spread.shape[2]):
        known = np.flatnonzero(counts[s, :, c] > least)
        if len(known):
            nearest = known[np.abs(np.arange(spread.shape[1])[:, None] - known[None]).argmin(1)]
            out[s, :, c] = spread[s, nearest, c]
        else:
            out[s, :, c] = 0.1
    return np.maximum(out, 0.005).astype(np.float32)
