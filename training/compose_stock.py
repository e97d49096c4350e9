"""Which stretches of the clips pairs are composed of: who walks, goes in arcs, stops, talks, fights, exercises."""

from dataclasses import dataclass

import numpy as np

from blender_motiondiff.core.cleanup.plants import runs

from .compose_cuts import RATE, Cut, ahead, aimed, bearing, track

STANDS = 0.25  # metres a second: slower is standing
ARC_SECONDS = (2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0)
SWEEP = 0.87  # radians that an arc goes at least
UPRIGHT = 0.85  # of the pelvis's standing height
# Rooms without the things they were recorded with, and couples, whose halves belong to each other.
PROPS = ("playground", "climb", "sit", "uneven", "acrobatics", "salsa")
TELLING = ("laugh", "traffic", "signal", "vacation", "rhyme", "idle", "drink", "bottle")
SPARRING = ("boxing", "punch", "sword", "gedanbarai", "oiduki", "syutouuke", "empi", "bassai")
TOGETHER = ("dance", "exercise", "acting", "gestures", "martial", "jump")


@dataclass(frozen=True)
class Arc:
    """A cut that goes about a point, before it is laid."""

    cut: Cut
    centre: np.ndarray  # [2] metres
    angle: np.ndarray  # [N] of the rays from the centre, radians, unwrapped

    @property
    def rate(self):
        """Radians a frame that it goes."""
        return (self.angle[-1] - self.angle[0]) / self.cut.frames


@dataclass(frozen=True)
class Stock:
    """Tracks by what they are good for, and where in them somebody comes to a stand."""

    walks: list
    arcs: list  # for each clip that has any, its Arcs
    talks: list
    spars: list
    mirrors: list
    all: list
    stops: list  # (track, first frame from which it may be walked, frame of the stop, end of standing)


def stock_of(clips):
    """The Stock of clips, a list of Clip."""
    tracks = [t for t in map(track, clips) if len(t.stretches) and not any(p in t.clip.action for p in PROPS)]

    def of(classes):
        return [t for t in tracks if any(c in t.clip.action for c in classes)]

    def said(tracks, texts):
        return [t for t in tracks if any(s in t.clip.text.lower() for s in texts)]

    walks, talks = of(("walk", "run")), of(("gestures", "acting", "stand", "everyday"))
    goes = walks + said(of(("sport",)), ("dribble",))
    arcs = [found for t in goes if (found := arcs_of(t))]
    spars = [aimed(t) for t in said(of(("martial",)), SPARRING)]
    stops = [stop for t in goes for stop in stops_of(t)]
    return Stock(walks, arcs, said(talks, TELLING), spars, of(TOGETHER), tracks, stops)


def stops_of(t):
    """(track, first, stop, end): walks of at least a metre on good frames that come to a stand."""
    fps, speed = t.clip.motion.fps, np.linalg.norm(t.velocity, axis=-1)
    found = []
    for first, end in t.stretches:
        slow = speed[first:end] < STANDS
        for still, go in runs(slow & (t.height[first:end] > UPRIGHT)) + first:
            before = slice(max(first, still - int(1.5 * fps)), still)
            went = np.linalg.norm(t.path[still] - t.path[before.start])
            if go - still > 0.2 * fps and went > 0.6 and goes_ahead(t.velocity[before], t.heading[before]):
                found.append((t, first, still, go))
    return found


def goes_ahead(velocity, heading):
    """Whether somebody walks the way they look: velocities `[N, 2]`, headings `[N]`."""
    along = (velocity * ahead(heading)).sum(-1)
    return along.mean() > 0.8 * np.linalg.norm(velocity, axis=-1).mean() and (along > -0.15).all()


def arc(cut):
    """The Arc that a cut goes, 50 degrees or more without turning back; None for others."""
    if not cut.good or cut.read(cut.track.height).min() < 0.75:
        return None
    # Kasa 1976: the circle that fits best, by linear least squares.
    middle = cut.path.mean(0)
    x, y = (cut.path - middle).T
    (cx, cy, c), *_ = np.linalg.lstsq(np.stack([x, y, np.ones_like(x)], -1), x * x + y * y, rcond=None)
    centre = np.array([cx, cy]) / 2
    radius = np.sqrt(max(c + centre @ centre, 0.0))
    rays = np.stack([x, y], -1) - centre
    stray = np.abs(np.linalg.norm(rays, axis=-1) - radius).max()
    angle = np.unwrap(np.arctan2(rays[:, 1], rays[:, 0]))
    sweep = angle[-1] - angle[0]
    fifths = np.linspace(0, len(angle) - 1, 5).astype(int)
    course = np.unwrap(bearing(np.diff(rays[fifths], axis=0)))
    turns = abs(course[-1] - course[0] - 0.75 * sweep) < 0.25 * abs(sweep)
    onward = (np.diff(angle[fifths]) * np.sign(sweep)).min() > 0
    # A straight way lies near large circles too: it has to be nearer to the circle than to the circle's chord.
    bends = stray < 0.3 * radius * (1 - np.cos(min(abs(sweep), np.pi) / 2))
    looks = np.ptp(cut.heading - angle) < 1.4  # ahead, in or out, but not about
    fine = 0.5 < radius < 3.0 and bends and abs(sweep) > SWEEP and onward and turns and looks
    return Arc(cut, centre + middle, angle) if fine else None


def arcs_of(t):
    """The Arcs of a track, of several lengths."""
    fps, found = t.clip.motion.fps, []
    course = np.unwrap(bearing(t.velocity))
    for first, end in t.stretches:
        for length in np.array(ARC_SECONDS) * fps:
            starts = np.arange(first, end - length, 0.25 * fps).astype(int)
            turns = np.abs(course[np.minimum(starts + int(length), end - 1)] - course[starts])
            found += [arc(Cut(t, s, int(length / fps * RATE))) for s in starts[(turns > 0.5 * SWEEP) & (turns < 10)]]
    return [a for a in found if a]
