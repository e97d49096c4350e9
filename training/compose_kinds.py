"""The kinds of composed pairs: how each is drawn and laid, and what must hold of it.

Of each kind, `draw(stock, rng)` lays two cuts of equal length, or gives None where the draw came to nothing, and
`holds(a, b)` says whether the two laid cuts are of the kind on all their frames. Distances are from pelvis to pelvis.
"""

from dataclasses import replace

import numpy as np

from .compose_cuts import (
    RATE,
    SECONDS,
    SHORTEST,
    WARP,
    Cut,
    ahead,
    bearing,
    draw_cut,
    frames_in,
    lay,
    mean_heading,
    spin,
    wrapped,
)
from .compose_stock import STANDS, UPRIGHT, arc, goes_ahead

ORIGIN = np.zeros(2)
WALKS = 0.45  # metres a second on the mean


def walk(tracks, rng, frames=None, straight=True, speed=1.0):
    """A cut of somebody who walks ahead all the time, of `frames`, from one of the tracks; None if none was drawn."""
    cut = draw_cut(tracks, rng, frames, speed)
    if cut is None:
        return None
    speeds = np.linalg.norm(cut.velocity, axis=-1)
    upright = cut.read(cut.track.height).min() > 0.75
    bent = np.linalg.norm(cut.path[-1] - cut.path[0]) < 0.96 * speeds.sum() / RATE
    fine = speeds.min() > 0.2 and speeds.mean() > WALKS and upright and goes_ahead(cut.velocity, cut.heading)
    return cut if fine and not (straight and bent) else None


def mean_speed(cut):
    """Metres a second along its way."""
    return float(np.linalg.norm(cut.velocity, axis=-1).mean())


def course(cut):
    """Heading from a cut's first place to its last."""
    return float(bearing(cut.path[-1] - cut.path[0]))


def apart(a, b):
    """Distances of the pelvises `[N]`."""
    return np.linalg.norm(a.path - b.path, axis=-1)


def off(a, b):
    """How far `a` looks past `b` `[N]`, radians, 0 when facing them."""
    return np.abs(wrapped(a.heading - bearing(b.path - a.path)))


def within(values, low, high):
    """Whether all values lie between two."""
    return bool((values > low).all() and (values < high).all())


# --- two who walk -----------------------------------------------------------------------------------------------------


def draw_walks(stock, rng):
    """Two straight walks of like pace and equal length: two clips, or one in the mirror or at another moment."""
    a = walk(stock.walks, rng)
    if a is None:
        return None
    pace = mean_speed(a)
    others = [t for t in stock.walks if WARP[0] < pace / t.pace < WARP[1] and t is not a.track]
    chosen = a.track if rng.random() < 0.15 or not others else one_of(others, rng)
    speed = pace / chosen.pace
    frames = min(a.frames, frames_in(chosen, speed))
    b = walk([chosen], rng, frames, speed=speed)
    if b is None or not 0.93 < mean_speed(b) / pace < 1.07:
        return None
    in_step = b.track is a.track and b.flip == a.flip and abs(b.start - a.start) < 0.3 * a.track.clip.motion.fps
    return None if in_step else (replace(a, frames=frames), b)


def draw_beside(stock, rng):
    """Two like walks along parallel ways, 0.6 to 1 m apart."""
    walks = draw_walks(stock, rng)
    if walks is None:
        return None
    a, b = walks
    aside = rng.choice([-1, 1]) * rng.uniform(0.6, 1.0)
    place = np.array([aside, rng.uniform(-0.15, 0.15)])
    return lay(a, a.path.mean(0), ORIGIN, -course(a)), lay(b, b.path.mean(0), place, -course(b))


def beside(a, b):
    """Level with each other, 0.5 to 1.15 m apart, the same way."""
    way = ahead(bearing(a.path[-1] - a.path[0]))
    level = np.abs((b.path - a.path) @ way)
    return within(apart(a, b), 0.5, 1.15) and within(level, -1, 0.4)


def draw_follow(stock, rng):
    """The second walks 1 to 2 m behind the first: on the same way later, or on a like one."""
    gap = rng.uniform(1.0, 2.0)
    if rng.random() < 0.15:
        return follow_later(stock, rng, gap)
    walks = draw_walks(stock, rng)
    if walks is None:
        return None
    a, b = walks
    place = np.array([rng.uniform(-0.12, 0.12), gap])
    return lay(a, a.path.mean(0), ORIGIN, -course(a)), lay(b, b.path.mean(0), place, -course(b))


def follow_later(stock, rng, gap):
    """One walk, straight or not, twice, the second later by the time it takes to go `gap` metres."""
    whole = walk(stock.walks, rng, straight=False)
    if whole is None:
        return None
    late = int(gap / mean_speed(whole) * RATE)
    frames = whole.frames - late
    if frames < SHORTEST * RATE:
        return None
    step = whole.speed * whole.track.clip.motion.fps / RATE
    a = replace(whole, start=whole.start + late * step, frames=frames)
    b = replace(whole, frames=frames)
    aside = rng.uniform(-0.1, 0.1, 2)
    return lay(a, ORIGIN, ORIGIN, 0.0), lay(b, ORIGIN, aside, 0.0)


def follows(a, b):
    """0.8 to 2.4 m behind, looking towards the first, who looks away."""
    return within(apart(a, b), 0.8, 2.4) and within(off(b, a), -1, 1.0) and within(np.pi - off(a, b), -1, 1.3)


def draw_pass(stock, rng):
    """Two walks against each other that pass at 0.5 to 1.3 m, somewhere in the middle of the time."""
    a = walk(stock.walks, rng)
    b = walk(stock.walks, rng, a.frames) if a else None
    if b is None:
        return None
    i = int(rng.uniform(0.35, 0.65) * a.frames)
    place = np.array([rng.choice([-1, 1]) * rng.uniform(0.5, 1.3), 0.0])
    turn = np.pi + rng.uniform(-0.35, 0.35)
    return lay(a, a.path[i], ORIGIN, -course(a)), lay(b, b.path[i], place, turn - course(b))


def passes(a, b):
    """Nearest in between, and well apart before and after."""
    distance = apart(a, b)
    nearest = distance.argmin()
    return 0.2 < nearest / len(distance) < 0.8 and distance.min() < 1.6 and min(distance[0], distance[-1]) > 1.3


def draw_circle(stock, rng):
    """Two arcs about one centre, on opposite sides of it."""
    if not stock.arcs:
        return None
    a = one_of(one_of(stock.arcs, rng), rng)
    others = [b for arcs in stock.arcs for b in arcs if WARP[0] < abs(a.rate / b.rate) < WARP[1]]
    others = [b for b in others if b.cut.track is not a.cut.track] or others
    b = a if rng.random() < 0.05 else one_of(others, rng)
    speed = a.rate / b.rate
    flip = bool(rng.random() < 0.5)
    a = arc(replace(a.cut, flip=flip))
    b = arc(replace(b.cut, frames=a.cut.frames, speed=abs(speed), flip=flip ^ bool(speed < 0)))
    if b is None:
        return None
    i = a.cut.frames // 2
    turn = a.angle[i] + np.pi + rng.uniform(-0.6, 0.6) - b.angle[i]
    return lay(a.cut, a.centre, ORIGIN, 0.0), lay(b.cut, b.centre, ORIGIN, turn)


def one_of(things, rng):
    """One of a list at random."""
    return things[rng.integers(len(things))]


def circles(a, b):
    """On different sides of the centre, which is the origin."""
    angle = np.abs(wrapped(bearing(a.path) - bearing(b.path)))
    return within(angle, np.pi / 2, 4) and within(apart(a, b), 0.7, 6.0)


def draw_meet(stock, rng):
    """The first walks up and stops 0.8 to 1.3 m from the second, who walks up as well or stands there."""
    if not stock.stops:
        return None
    a = stop_cut(stock, rng)
    if a is None:
        return None
    b = stop_cut(stock, rng, a.frames) if rng.random() < 0.5 or not stock.talks else still(stock.talks, rng, a.frames)
    if b is None:
        return None
    last = slice(-int(0.3 * RATE), None)
    gap = np.array([rng.normal(0, 0.05), -rng.uniform(0.8, 1.3)])
    looks = [mean_heading(cut.heading[last]) for cut in (a, b)]
    back = np.pi + rng.normal(0, 0.15)
    return lay(a, a.path[-1], ORIGIN, rng.normal(0, 0.1) - looks[0]), lay(b, b.path[-1], gap, back - looks[1])


def stop_cut(stock, rng, frames=None):
    """A cut of somebody who walks up and stands at its end; None where the one that was drawn is too short."""
    t, first, still, end = one_of(stock.stops, rng)
    speed = rng.uniform(*WARP)
    step = speed * t.clip.motion.fps / RATE
    last = rng.uniform(still + 0.15 * (end - still), end - 1)
    most = int(min((last - first) / step, SECONDS[1] * RATE))
    least = max(SHORTEST * RATE, (last - still) / step + 0.8 * RATE)
    if frames is None and least < most:
        frames = int(rng.uniform(least, min(most, least + 4 * RATE)))
    if frames is None or not least <= frames <= most:
        return None
    cut = Cut(t, last - (frames - 1) * step, frames, speed, bool(rng.random() < 0.5))
    goes = np.linalg.norm(cut.velocity, axis=-1) > STANDS
    came = np.linalg.norm(cut.path[0] - cut.path[-1]) > 0.6 and cut.read(cut.track.height).min() > 0.75
    # Some turn on the spot once they stand: whom they walked up to is where they were going.
    stands = cut.heading[-int((last - still) / step) - 1 :]
    return (
        cut
        if came
        and np.abs(wrapped(stands - course(cut))).max() < 0.8
        and goes_ahead(cut.velocity[goes], cut.heading[goes])
        else None
    )


def meets(a, b):
    """At the end 0.7 to 1.5 m apart and face to face; further apart at the beginning."""
    last = slice(-int(0.2 * RATE), None)
    distance = apart(a, b)
    facing = within(off(a, b)[last], -1, 0.6) and within(off(b, a)[last], -1, 0.6)
    return facing and within(distance[last], 0.7, 1.5) and distance[0] > distance[-1] + 0.5 and distance.min() > 0.65


# --- two who stay -----------------------------------------------------------------------------------------------------


def still(tracks, rng, frames=None, roam=0.4, turn=1.4, low=UPRIGHT):
    """A cut of somebody who keeps within `roam` metres and `turn` radians, above `low`; None if none was drawn."""
    cut = draw_cut(tracks, rng, frames)
    if cut is None or cut.read(cut.track.height).min() < low:
        return None
    roams = np.linalg.norm(cut.path - cut.path.mean(0), axis=-1).max()
    return cut if roams < roam and np.ptp(cut.heading) < turn else None


def face_to_face(a, b, distance, rng, loose=0.15):
    """Two cuts laid so that they look at each other on the whole, `distance` metres apart, give or take."""
    looks = [mean_heading(cut.heading) for cut in (a, b)]
    turns = rng.normal(0, loose, 2) - looks
    place = np.array([0.0, -distance])
    return lay(a, a.path.mean(0), ORIGIN, turns[0]), lay(b, b.path.mean(0), place, np.pi + turns[1])


def draw_talk(stock, rng):
    """Two who stand and gesture, 0.9 to 1.5 m apart."""
    a = still(stock.talks, rng)
    b = still(stock.talks, rng, a.frames) if a else None
    if b is None or (b.track is a.track and abs(b.start - a.start) < RATE):
        return None
    return face_to_face(a, b, rng.uniform(0.9, 1.5), rng, loose=0.2)


def talks(a, b):
    """0.7 to 2 m apart, each seeing the other nearly all the time."""
    sees = min(np.mean(off(a, b) < 1.0), np.mean(off(b, a) < 1.0))
    return within(apart(a, b), 0.7, 2.0) and sees > 0.9


def draw_mirror(stock, rng):
    """One motion and its mirror image, face to face at 1 to 2 m, the image at times late by up to 0.4 s."""
    a = draw_cut(stock.mirrors, rng)
    if a is None:
        return None
    late = int(rng.choice([0.0, rng.uniform(0.0, 0.4)]) * RATE)
    step = a.speed * a.track.clip.motion.fps / RATE
    if a.frames - late < SHORTEST * RATE:
        return None
    first = replace(a, start=a.start + late * step, frames=a.frames - late)
    second = replace(a, frames=a.frames - late, flip=not a.flip)
    look, middle = mean_heading(a.heading), a.path.mean(0)
    image = np.array([-middle[0], middle[1]])
    place = np.array([0.0, -rng.uniform(1.0, 2.0)])
    return lay(first, middle, ORIGIN, -look), lay(second, image, place, np.pi + look)


def mirrors(a, b):
    """0.5 to 4 m apart."""
    return within(apart(a, b), 0.5, 4.0)


def draw_spar(stock, rng):
    """Two fighters turned to each other, at arm's length; at a sword's with swords."""
    a = still(stock.spars, rng, roam=1.0, turn=2.2, low=0.6)
    if a is None:
        return None
    armed = "sword" in a.track.clip.text.lower()
    alike = [t for t in stock.spars if ("sword" in t.clip.text.lower()) == armed]
    b = still(alike, rng, a.frames, roam=1.0, turn=2.2, low=0.6)
    if b is None or (b.track is a.track and abs(b.start - a.start) < RATE):
        return None
    return face_to_face(a, b, rng.uniform(1.4, 1.9) if armed else rng.uniform(0.8, 1.3), rng, loose=0.1)


def spars(a, b):
    """0.5 to 2.3 m apart, mostly looking at each other."""
    sees = min(np.mean(off(a, b) < 0.9), np.mean(off(b, a) < 0.9))
    return within(apart(a, b), 0.5, 2.3) and sees > 0.75


def draw_apart(stock, rng):
    """Any two in one room, as they come."""
    a = draw_cut(stock.all, rng)
    b = draw_cut(stock.all, rng, a.frames) if a else None
    if b is None or b.track is a.track:
        return None
    place = spin(np.array([rng.uniform(0.8, 3.5), 0.0]), rng.uniform(-np.pi, np.pi))
    return lay(a, a.path.mean(0), ORIGIN, 0.0), lay(b, b.path.mean(0), place, rng.uniform(-np.pi, np.pi))


def ignores(a, b):
    """In one room."""
    return within(apart(a, b), 0.3, 8.0)


# Kind -> (how it is drawn, what holds of it, its share of the pairs).
KINDS = {
    "beside": (draw_beside, beside, 1.0), "following": (draw_follow, follows, 1.0),
    "meeting": (draw_meet, meets, 1.0), "passing": (draw_pass, passes, 1.0), "circling": (draw_circle, circles, 0.7),
    "mirroring": (draw_mirror, mirrors, 1.5), "sparring": (draw_spar, spars, 1.0), "talking": (draw_talk, talks, 1.5),
    "ignoring": (draw_apart, ignores, 1.0),
}  # fmt: skip
