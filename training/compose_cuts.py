"""What pairs are composed of: stretches of recorded clips and where they are laid on the ground."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.cleanup.plants import runs
from blender_motiondiff.core.motion import FPS, mirror, positions, resample, turned
from blender_motiondiff.core.skeleton import INDEX

from .augment import MIRROR_FEET

RATE = FPS  # frames a second of composed clips
SHORTEST = 2.0  # seconds: a cut is at least as long, as shorter ones hold no window of training
SECONDS = (4.0, 8.0)  # of a cut, where its clip has as much
WARP = (0.87, 1.15)  # a clip is played no slower and no faster than this
SMOOTHING = 0.4  # seconds over which speeds are averaged
AIMING = 1.0  # seconds over which it is averaged where a fighter aims


@dataclass(frozen=True)
class Track:
    """A clip's way over the ground, at the clip's own rate."""

    clip: object
    path: np.ndarray  # [F, 2] pelvis, metres
    heading: np.ndarray  # [F] radians, unwrapped
    height: np.ndarray  # [F] of the pelvis, 1 standing at rest
    velocity: np.ndarray  # [F, 2] metres a second, averaged

    @cached_property
    def weight(self):
        """How often it is drawn: with the root of its length, as many short clips say more than one long one."""
        return float(np.sqrt(np.diff(self.stretches).sum()))

    @cached_property
    def pace(self):
        """Its usual speed, metres a second."""
        return max(float(np.median(np.linalg.norm(self.velocity[self.clip.good], axis=-1))), 0.01)

    @cached_property
    def stretches(self):
        """(first, end) frames of the good stretches that are long enough. int `[R, 2]`"""
        spans = runs(self.clip.good)
        return spans[spans[:, 1] - spans[:, 0] > SHORTEST * self.clip.motion.fps + 1]


@dataclass(frozen=True)
class Cut:
    """N frames at RATE of a track from its frame `start`, played at `speed`, in the mirror if `flip`."""

    track: Track
    start: float
    frames: int
    speed: float = 1.0
    flip: bool = False

    @property
    def times(self):
        """Frames of the source that it shows `[N]`."""
        return self.start + np.arange(self.frames) * self.speed * self.track.clip.motion.fps / RATE

    def read(self, values):
        """Values `[F, ...]` of the track at the cut's frames `[N, ...]`."""
        low = np.clip(np.floor(self.times).astype(int), 0, len(values) - 2)
        share = (self.times - low).reshape(-1, *[1] * (values.ndim - 1))
        return values[low] * (1 - share) + values[low + 1] * share

    @cached_property
    def good(self):
        """Whether all that it shows is good."""
        last = self.times[-1]
        return any(first <= self.start and last <= end - 1 for first, end in self.track.stretches)

    @cached_property
    def path(self):
        """Pelvis over the ground before it is laid `[N, 2]`, metres."""
        return self.read(self.track.path) * ((-1.0, 1.0) if self.flip else (1.0, 1.0))

    @cached_property
    def heading(self):
        """Heading before it is laid `[N]`, radians."""
        return self.read(self.track.heading) * (-1.0 if self.flip else 1.0)

    @cached_property
    def velocity(self):
        """Averaged velocity before it is laid `[N, 2]`, metres a second."""
        return self.read(self.track.velocity) * self.speed * ((-1.0, 1.0) if self.flip else (1.0, 1.0))


@dataclass(frozen=True)
class Laid:
    """A cut turned by `yaw` radians about the vertical axis, then moved by `shift [2]` metres."""

    cut: Cut
    yaw: float
    shift: np.ndarray

    @cached_property
    def path(self):
        """Pelvis over the ground `[N, 2]`, metres."""
        return spin(self.cut.path, self.yaw) + self.shift

    @cached_property
    def heading(self):
        """Heading `[N]`, radians."""
        return self.cut.heading + self.yaw

    def moved(self, by):
        """The same cut, `by [2]` metres further."""
        return replace(self, shift=self.shift + by)

    def clip(self, name, partner):
        """The Clip that it is, at RATE."""
        source, times = self.cut.track.clip, self.cut.times
        motion = replace(resample(source.motion, times / source.motion.fps), fps=RATE)
        contacts = source.contacts[np.clip(np.round(times).astype(int), 0, len(source.contacts) - 1)]
        text = source.text
        if self.cut.flip:
            motion, contacts, text = mirror(motion), contacts[:, MIRROR_FEET], other_side(text)
        motion = turned(motion, self.yaw, (*self.shift, 0.0))
        good = np.ones(len(times), bool)
        return replace(source, name=name, motion=motion, contacts=contacts, good=good, partner=partner, text=text)


def track(clip):
    """The Track of a clip."""
    motion = clip.motion
    path = motion.root[:, :2]
    velocity = averaged(np.gradient(path, axis=0) * motion.fps, motion.fps, SMOOTHING)
    heading = np.unwrap(rot.heading(motion.rotations[:, 0]))
    return Track(clip, path, heading, motion.root[:, 2] / motion.body.standing_height, velocity)


def averaged(values, fps, seconds):
    """Values `[F, 2]` averaged over `seconds` about each frame."""
    width = min(int(seconds * fps) | 1, (len(values) - 1) | 1)
    padded = np.pad(values, ((width // 2,) * 2, (0, 0)), "edge")
    sums = np.concatenate([np.zeros((1, 2)), np.cumsum(padded, 0)])
    return (sums[width:] - sums[:-width])[: len(values)] / width


def aimed(t):
    """The track of a fighter, headed where the hands are: the pelvis stands half turned away from the opponent."""
    motion = t.clip.motion
    hands = positions(motion)[:, [INDEX["left_wrist"], INDEX["right_wrist"]], :2].mean(1)
    return replace(t, heading=np.unwrap(bearing(averaged(hands - t.path, motion.fps, AIMING))))


def draw_cut(tracks, rng, frames=None, speed=1.0):
    """A stretch of one of the tracks at random; `frames` of them, or as long as SECONDS says and the clip allows.

    None where the clip that was drawn has too little, or there are no tracks.
    """
    if not tracks:
        return None
    weight = np.array([t.weight for t in tracks])
    chosen = tracks[rng.choice(len(tracks), p=weight / weight.sum())]
    lengths = np.diff(chosen.stretches)[:, 0]
    first, end = chosen.stretches[rng.choice(len(lengths), p=lengths / lengths.sum())]
    step = speed * chosen.clip.motion.fps / RATE
    most = int((end - first - 1) / step) + 1
    if frames is None:
        frames = min(int(rng.uniform(*SECONDS) * RATE), most)
    if frames > most or frames < SHORTEST * RATE:
        return None
    start = first + rng.uniform(0, max((end - first - 1) - (frames - 1) * step, 0))
    return Cut(chosen, start, frames, speed, bool(rng.random() < 0.5))


def frames_in(t, speed):
    """How many frames at RATE the longest good stretch of a track gives at a speed."""
    return int((np.diff(t.stretches).max() - 1) / (speed * t.clip.motion.fps / RATE)) + 1


def lay(cut, pivot, at, turn):
    """A cut turned by `turn` radians about `pivot [2]` of its own, which comes to lie at `at [2]`."""
    return Laid(cut, float(turn), np.asarray(at, float) - spin(np.asarray(pivot, float), turn))


def spin(points, angle):
    """Points `[..., 2]` turned by `angle` radians about the origin."""
    x, y = points[..., 0], points[..., 1]
    return np.stack([np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y], -1)


def ahead(heading):
    """Unit vectors `[..., 2]` of headings `[...]`."""
    return np.stack([np.sin(heading), -np.cos(heading)], -1)


def bearing(way):
    """Headings `[...]` of directions `[..., 2]`."""
    return np.arctan2(way[..., 0], -way[..., 1])


def wrapped(angle):
    """Angles brought into -pi..pi."""
    return (angle + np.pi) % (2 * np.pi) - np.pi


def mean_heading(heading):
    """The heading in the middle of headings `[N]`."""
    return float(bearing(ahead(heading).mean(0)))


def other_side(text):
    """What is said of a motion, said of its mirror image."""
    return text.replace("left", "\0").replace("right", "left").replace("\0", "right")
