"""Bent versions of recorded clips: walks and runs along other paths, and on other legs, their feet planted as recorded.

The smoothed path of the pelvis is bent by a curvature drawn over the way and stretched a little; the body turns with
it. Each foot is bent with it as well, but at a station of its own, which stands still while the foot does: a standing
foot is moved as one rigid piece, with whatever it did while it stood, and slides no more than it did when recorded.
The legs follow by two-bone IK, heels rise and the pelvis sinks where they are too short (core/cleanup).

    python -m training.bend --data FOLDER     prints how the bent clips compare with the recorded ones
"""

import argparse
import sys
import time
from dataclasses import dataclass, replace

import numpy as np

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.cleanup.foot_lock import DEEPEST, Foot, ankle_target, envelope, leg_reach
from blender_motiondiff.core.cleanup.kinematics import kinematics
from blender_motiondiff.core.cleanup.plants import frames_from, runs
from blender_motiondiff.core.cleanup.skating import gmd_foot_skating_ratio
from blender_motiondiff.core.cleanup.two_bone_ik import solve_leg
from blender_motiondiff.core.motion import Motion
from blender_motiondiff.core.skeleton import FEET, INDEX, LEGS, Body

LEAST_WAY = 1.0  # metres that a clip must travel to be bent
LEAST_GOOD = 1.0  # seconds of good frames that it must have
TOUCHES = ("acrobatics", "breakdance", "playground", "climb", "sit", "walk, uneven")  # hands, seats, props, slopes stay
TRAVELS = ("walk", "run")  # bent freely; whatever else travels is bent gently
SMOOTH = 0.4  # seconds, standard deviation of the average that takes the sway of the steps off the path
STANDS, GOES = (
    0.15,
    0.5,
)  # metres a second: a body slower than the first turns about nothing, faster than the second all
STRAIGHT = 0.12  # share of the stretches of the way to which no curvature is added
RADII = (1.0, 6.0)  # metres, of the others
STRETCHES = (0.7, 5.0)  # metres of way from one curvature to the next
EASE = 0.25  # metres of way, standard deviation, over which curvatures pass into each other
STRIDE = (0.85, 1.2)  # stretch of the way
LONGEST_AT = (1.5, 4.0)  # metres a second up to which it may be that long, and from which on no longer than recorded
SHORTER = 0.15  # metres: share by which strides are shorter for each 1/m of curvature
PULL = 2.5  # metres a second squared: lateral acceleration at most
WHIRL = 1.7  # radians a second: rate of turning at most
GENTLY = 0.4  # of what walks may take
GRAVITY = 9.81
LEAN = 0.6  # share of the lean of a rigid body that people show
LOOK_SECONDS, LOOK = 0.35, 0.6  # heads turn by this share of what the body is going to turn within this time
KNEE_TURN = 0.5  # share of a foot's turn against the body that hip and knee take; the ankle takes the rest
STANCE_HEIGHT = 0.06  # metres over its rest height, leg 0.85 m: a slow toe this low is bent as a standing one
STANCE_SPEED, STANCE_SHARE = 0.4, 0.3  # metres a second, or share of the body's speed: slow
BREAK_SECONDS, BREAK_DISTANCE = 0.12, 0.05  # shorter breaks of a stance in which the toe moves less are closed
FREE_SECONDS = 0.45  # after this long in the air a foot is bent where the body is
HEEL_SECONDS = 0.13  # a heel that stands is free to rise this long before or after
DROP_SECONDS = 0.3  # the pelvis sinks and rises over this long
LEG_CHANGE = 0.06  # largest change of thigh and shin, as a share


@dataclass(frozen=True)
class Bend:
    """Where the smoothed pelvis was and where it goes, a row a frame.

    `before`, `after [T, 2]` metres; `turn [T]` radians that the body is turned by; `lean [T, 2]`: the horizontal
    vector, as long as the angle, that the body's top is tipped towards.
    """

    before: np.ndarray
    after: np.ndarray
    turn: np.ndarray
    lean: np.ndarray

    def at(self, stations):
        """The bend at `stations [N]`, frames, not necessarily whole ones."""
        frames = np.arange(len(self.turn))
        rows = np.concatenate([self.before, self.after, self.turn[:, None], self.lean], 1)
        out = np.stack([np.interp(stations, frames, column) for column in rows.T], 1)
        return Bend(out[:, :2], out[:, 2:4], out[:, 4], out[:, 5:])


# --- the path ---------------------------------------------------------------------------------------------------------


def smoothed(values, fps, seconds=SMOOTH):
    """Gaussian average over time of `[T, K]`, continued beyond its ends by a half turn about them."""
    sigma = seconds * fps
    reach = int(3 * sigma)
    index = np.abs(np.arange(-reach, len(values) + reach))
    period = max(2 * (len(values) - 1), 1)
    index = index % period
    inside = np.where(index < len(values), index, period - index)
    padded = values[inside]
    padded[:reach] = 2 * values[0] - padded[:reach]
    padded[-reach:] = 2 * values[-1] - padded[-reach:]
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return np.stack([np.convolve(column, kernel / kernel.sum(), "valid") for column in padded.T], 1)


def curvature_along(way, rng, strength=1.0):
    """A smooth random curvature (1/m, left positive) for every entry of the way travelled `[T]`, metres, rising."""
    grid = np.arange(0.0, way[-1] + 0.05, 0.05)
    count = int(grid[-1] / STRETCHES[0]) + 2
    lengths = np.exp(rng.uniform(*np.log(STRETCHES), count))
    radii = np.exp(rng.uniform(*np.log(RADII), count))
    values = np.where(rng.random(count) < STRAIGHT, 0.0, rng.choice([-1.0, 1.0], count) / radii) * strength
    steps = values[np.searchsorted(np.cumsum(lengths), grid)]
    return np.interp(way, grid, smoothed(steps[:, None], 20.0, EASE)[:, 0])


def drawn_bend(motion, rng, strength=1.0):
    """A Bend at random of a motion's path, or None where it does not travel. `strength`: 1 for walks, less is less."""
    fps, before = motion.fps, smoothed(motion.root[:, :2], motion.fps)
    step = np.diff(before, axis=0, prepend=before[:1])
    speed = np.linalg.norm(np.gradient(before, axis=0), axis=1) * fps
    way = np.cumsum(np.linalg.norm(step, axis=1))
    if way[-1] < LEAST_WAY:
        return None
    goes = _ease((speed - STANDS) / (GOES - STANDS))
    spare = 1 - _ease((np.quantile(speed, 0.9) - LONGEST_AT[0]) / (LONGEST_AT[1] - LONGEST_AT[0]))
    change = rng.uniform(STRIDE[0] - 1, max((STRIDE[1] - 1) * spare, 0.0)) * (1 if strength == 1 else GENTLY)
    stretch = 1 + change * goes
    fast = np.maximum(speed * stretch, GOES)
    most = strength * np.minimum(1 / RADII[0], np.minimum(PULL / fast**2, WHIRL / fast))
    heading = np.unwrap(np.arctan2(*np.gradient(before, axis=0).T[::-1]))
    own = np.abs(np.gradient(heading)) * fps / fast * goes
    most = smoothed(np.maximum(most - own, 0.2 * most)[:, None], fps, 0.1)[:, 0]
    wanted = curvature_along(way * stretch.mean(), rng, strength) / most
    bends = goes * most * wanted / (1 + wanted**4) ** 0.25
    stretch = stretch * (1 - SHORTER * np.abs(bends))
    turn = np.cumsum(bends * np.linalg.norm(step, axis=1) * stretch)
    turn = smoothed(turn[:, None], fps, 0.08)[:, 0]
    moved = _turn(step * stretch[:, None], turn)
    ahead = rot.normalize(_turn(np.gradient(before, axis=0), turn), 1e-6)
    rate = np.gradient(turn) * fps
    tipped = LEAN * np.arctan(rate * speed * stretch / GRAVITY) * goes
    lean = np.stack([-ahead[:, 1], ahead[:, 0]], 1) * tipped[:, None]
    return Bend(before, before[0] + np.cumsum(moved, 0), turn, smoothed(lean, fps, 0.15))


def _turn(vectors, angles):
    """Horizontal vectors `[T, 2]` turned to the left by `angles [T]`."""
    c, s = np.cos(angles), np.sin(angles)
    return np.stack([c * vectors[:, 0] - s * vectors[:, 1], s * vectors[:, 0] + c * vectors[:, 1]], 1)


def _ease(u):
    u = np.clip(u, 0.0, 1.0)
    return u * u * (3 - 2 * u)


# --- the feet ---------------------------------------------------------------------------------------------------------


def stances(places, contacts, body, speed, fps):
    """Frames in which each foot stands, or nearly so `[T, 2]`: labelled, or low and slow against the body's `speed`."""
    out = np.zeros((len(places), 2), bool)
    slow = np.maximum(STANCE_SPEED * body.size, STANCE_SHARE * speed)
    for side in range(2):
        toe = places[:, FEET[2 * side + 1]]
        low = toe[:, 2] - body.foot_heights[2 * side + 1] < STANCE_HEIGHT * body.size
        velocity = np.linalg.norm(np.gradient(toe, axis=0), axis=1) * fps
        on = contacts[:, 2 * side : 2 * side + 2].any(1) | (low & (velocity < slow))
        spans = runs(on)
        for (_, end), (start, _) in zip(spans[:-1], spans[1:], strict=True):
            moved = np.linalg.norm(toe[start] - toe[end - 1])
            if start - end <= BREAK_SECONDS * fps and moved < BREAK_DISTANCE * body.size:
                on[end:start] = True
        out[:, side] = on
    return out


def stations(stands, way, fps):
    """The frame at which the path's bend is taken for a foot `[T]`: one for each stance, passing smoothly between.

    `stands [T]` flags; `way [T]` metres travelled. A stance is bent where the body is half way through it.
    """
    frames, free = len(stands), FREE_SECONDS * fps
    rising = way + 1e-6 * np.arange(frames)
    knots = []  # (frame, station, slope)
    last = 0.0
    for start, end in [*runs(stands), (frames, frames)]:
        end_of_gap = float(min(start, frames - 1))
        open_ended = start == frames
        if not knots and start > 0:
            knots.append((0.0, 0.0, 1.0))
        elif knots and end_of_gap - last > 2 * free:
            knots.append((last + free, last + free, 1.0))
        if end_of_gap - last > 2 * free and not open_ended:
            knots.append((end_of_gap - free, end_of_gap - free, 1.0))
        if open_ended:
            if knots[-1][0] < end_of_gap:
                knots.append((end_of_gap, end_of_gap, 1.0))
            break
        middle = np.interp(way[start:end].mean(), rising, np.arange(frames))
        knots += [(float(start), middle, 0.0), (float(end - 1), middle, 0.0)]
        last = float(end - 1)
    return _quintic(np.array(knots), np.arange(frames))


def _quintic(knots, at):
    """Values at `at [N]` through `knots [K, 3]` (place, value, slope), without acceleration at the knots."""
    k = np.clip(np.searchsorted(knots[:, 0], at, side="right") - 1, 0, len(knots) - 2)
    (x0, v0, m0), (x1, v1, m1) = knots[k].T, knots[k + 1].T
    width = np.maximum(x1 - x0, 1e-9)
    u = np.clip((at - x0) / width, 0.0, 1.0)
    u3 = u**3
    up = u3 * (10 - 15 * u + 6 * u**2)
    leave, arrive = u - u3 * (6 - 8 * u + 3 * u**2), u3 * (-4 + 7 * u - 3 * u**2)
    return v0 + (v1 - v0) * up + width * (m0 * leave + m1 * arrive)


def planted(motion, toes, soles, heels_on):
    """The motion with its legs solved so that its feet are where they are told.

    `toes [2, T, 3]`: places of the toe joints; `soles [2, T, 4]`: world rotations of the ankle joints; `heels_on
    [T, 2]`: where the heel may not rise to reach.
    """
    places, world = kinematics(motion)
    nothing = np.zeros(motion.frames)
    feet = []
    for side, leg in enumerate(LEGS):
        turn = rot.multiply(soles[side], rot.conjugate(world[:, INDEX[leg[2]]]))
        free = _ease(frames_from(heels_on[:, side]) / (HEEL_SECONDS * motion.fps))
        feet.append(Foot(leg, toes[side], turn, free, nothing, nothing, nothing))
    drop = _pelvis_drop(places, feet, motion)
    down = np.stack([nothing, nothing, drop], 1)
    lowered, local = places - down[:, None], motion.rotations
    for foot in feet:
        local = _leg(local, world, lowered, foot, ankle_target(places, drop, foot))
    return replace(motion, root=motion.root - down, rotations=local)


def _pelvis_drop(places, feet, motion):
    """Metres `[T]` by which the pelvis is lowered where legs are too short."""
    need = np.zeros(motion.frames)
    for foot in feet:
        target, hip = ankle_target(places, 0.0, foot)[0], places[:, INDEX[foot.leg[0]]]
        flat = np.linalg.norm((target - hip)[:, :2], axis=1)
        height = np.sqrt(np.maximum(leg_reach(places, foot.leg) ** 2 - flat**2, 0.0))
        need = np.maximum(need, (hip - target)[:, 2] - height)
    return envelope(np.clip(need, 0.0, DEEPEST * motion.body.size), int(0.5 * DROP_SECONDS * motion.fps))


def _leg(local, world, places, foot, goal):
    """Local rotations with one leg solved for `goal`: its ankle's place `[T, 3]` and its foot's turn `[T, 4]`."""
    hip, knee, ankle, toe = (INDEX[name] for name in foot.leg)
    target, turn = goal
    line = rot.normalize(places[:, hip] - places[:, ankle])
    yaw = KNEE_TURN * rot.to_rotvec(foot.turn)[:, 2:]
    knee_turn = rot.from_rotvec(line * yaw)
    world, places = world.copy(), places.copy()
    places[:, knee] = places[:, hip] + rot.rotate(knee_turn, places[:, knee] - places[:, hip])
    for joint in (hip, knee):
        world[:, joint] = rot.multiply(knee_turn, world[:, joint])
    toes = rot.multiply(foot.turn, world[:, toe])
    world[:, ankle] = rot.multiply(turn, world[:, ankle])
    out = solve_leg(local, world, places, foot.leg, target)
    out[:, toe] = rot.multiply(rot.conjugate(world[:, ankle]), toes)
    return out


# --- clips ------------------------------------------------------------------------------------------------------------


def bent(clip, rng):
    """A version of a clip along another path, or None where it does not travel, touches things, or is mostly bad.

    Contacts and good frames stay as they are; a bent clip has no partner.
    """
    strength = 1.0 if clip.action.startswith(TRAVELS) else GENTLY
    if clip.action.startswith(TOUCHES) or clip.good.sum() < LEAST_GOOD * clip.motion.fps:
        return None
    bend = drawn_bend(clip.motion, rng, strength)
    if bend is None:
        return None
    return replace(clip, name=f"{clip.name}, bent", motion=follow(clip.motion, clip.contacts, bend), partner="")


def follow(motion, contacts, bend):
    """The motion along the bent path. `contacts [T, 4]` flags."""
    places, world = kinematics(motion)
    step = np.diff(bend.before, axis=0, prepend=bend.before[:1])
    way = np.cumsum(np.linalg.norm(step, axis=1))
    speed = np.linalg.norm(np.gradient(bend.before, axis=0), axis=1) * motion.fps
    stands = stances(places, contacts, motion.body, speed, motion.fps)
    toes, soles = [], []
    height = smoothed(motion.root[:, 2:], motion.fps)
    for side, leg in enumerate(LEGS):
        where = bend.at(stations(stands[:, side], way, motion.fps))
        ankle, toe = INDEX[leg[2]], INDEX[leg[3]]
        flat = where.after + _turn(places[:, toe, :2] - where.before, where.turn)
        # The pelvis keeps to the path; feet stand further out than it, as it leans in.
        flat = flat - where.lean * height
        toes.append(np.concatenate([flat, places[:, toe, 2:]], 1))
        soles.append(rot.multiply(rot.about_z(where.turn), world[:, ankle]))
    tip = rot.from_rotvec(np.stack([-bend.lean[:, 1], bend.lean[:, 0], np.zeros(motion.frames)], 1))
    rotations = np.array(motion.rotations)
    rotations[:, 0] = rot.multiply(tip, rot.multiply(rot.about_z(bend.turn), rotations[:, 0]))
    frames = np.arange(motion.frames)
    look = LOOK * (np.interp(frames + LOOK_SECONDS * motion.fps, frames, bend.turn) - bend.turn)
    for name in ("neck", "head"):
        rotations[:, INDEX[name]] = rot.multiply(rot.about_z(0.5 * look), rotations[:, INDEX[name]])
    flat = bend.after + _turn(motion.root[:, :2] - bend.before, bend.turn)
    upright = np.cos(np.linalg.norm(bend.lean, axis=1, keepdims=True))
    body = Motion(np.concatenate([flat, motion.root[:, 2:] * upright], 1), rotations, motion.body, motion.fps)
    return planted(body, toes, soles, contacts[:, [0, 2]])


def with_legs(clip, thigh, shin):
    """The clip on legs `thigh` and `shin` times as long, its feet where they were, its pelvis as high in proportion."""
    body = clip.motion.body
    offsets = body.offsets.copy()
    for leg in LEGS:
        offsets[INDEX[leg[1]]] *= thigh
        offsets[INDEX[leg[2]]] *= shin
    other = Body(offsets)
    places, world = kinematics(clip.motion)
    root = clip.motion.root * np.array([1.0, 1.0, other.standing_height / body.standing_height])
    toes = [places[:, INDEX[leg[3]]] for leg in LEGS]
    soles = [world[:, INDEX[leg[2]]] for leg in LEGS]
    motion = planted(replace(clip.motion, root=root, body=other), toes, soles, clip.contacts[:, [0, 2]])
    return replace(clip, motion=motion)


def other_legs(clip, rng):
    """The clip on legs of other proportions, thigh and shin drawn apart."""
    return with_legs(clip, *(1 + LEG_CHANGE * rng.uniform(-1, 1, 2)))


# --- how good they are ------------------------------------------------------------------------------------------------


def compare(clip, other):
    """A clip and a version of it in numbers, over the recorded one's good frames."""
    from evaluation import metrics

    good, fps, toe = clip.good, clip.motion.fps, clip.motion.body.foot_heights[1]
    places = [kinematics(c.motion)[0] for c in (clip, other)]
    skating = [gmd_foot_skating_ratio(p[good], fps, toe) for p in places]
    slip = [100 * metrics.contact_slip(p, clip.contacts & good[:, None], fps) for p in places]
    knees = [np.degrees(metrics.knee_hyperextension(c.motion.rotations[good])) for c in (clip, other)]
    limits = [100 * metrics.joint_limit_violations(c.motion.rotations[good])[0] for c in (clip, other)]
    joints = [INDEX[name] for leg in LEGS for name in leg[:3]]
    turned = np.degrees(
        rot.angle_between(clip.motion.rotations[good][:, joints], other.motion.rotations[good][:, joints])
    )
    return {
        "skating": skating[0], "skating_after": skating[1], "slip_cm_s": slip[0], "slip_after_cm_s": slip[1],
        "jerk_ratio": metrics.jerk(places[1][good], fps) / metrics.jerk(places[0][good], fps),
        "knee_backwards_deg": knees[0], "knee_backwards_after_deg": knees[1],
        "limits_percent": limits[0], "limits_after_percent": limits[1],
        "leg_joints_deg": float(turned.mean()), "leg_joints_most_deg": float(turned.max()),
    }  # fmt: skip


def curvature(motion, good):
    """Curvatures of the smoothed path, 1/m, at the good frames that go. bool `[T]` -> `[N]`."""
    path = smoothed(motion.root[:, :2], motion.fps)
    velocity = np.gradient(path, axis=0) * motion.fps
    speed = np.linalg.norm(velocity, axis=1)
    heading = np.unwrap(np.arctan2(velocity[:, 1], velocity[:, 0]))
    rate = np.gradient(heading) * motion.fps
    return (np.abs(rate) / np.maximum(speed, GOES))[good & (speed > GOES)]


def main(folder):
    """Prints, by class, recorded clips against bent ones and against those on other legs, and what it takes."""
    from .dataset import for_training, load_clips, read_index

    clips = for_training(load_clips(folder), read_index(folder))
    rng, groups, bends, took, seconds = np.random.default_rng(0), {}, {}, 0.0, 0.0
    for clip in clips.values():
        began = time.process_time()
        other = bent(clip, rng)
        took += time.process_time() - began
        if other is not None:
            seconds += clip.motion.duration
            kind = next((k for k in TRAVELS if clip.action.startswith(k)), "others, gently")
            groups.setdefault(f"bent: {kind}", []).append((clip, compare(clip, other)))
            groups.setdefault(f"other legs: {kind}", []).append((clip, compare(clip, other_legs(clip, rng))))
            bends.setdefault(kind, []).append([curvature(c.motion, clip.good) for c in (clip, other)])
    for kind, rows in groups.items():
        print(f"{kind}: {len(rows)} clips, {sum(c.good.sum() / c.motion.fps for c, _ in rows) / 60:.1f} minutes")
        weights = np.array([c.good.sum() / c.motion.fps for c, _ in rows])
        for key in rows[0][1]:
            values = np.array([row[key] for _, row in rows])
            worst = rows[int(values.argmax())][0].name
            print(f"  {key:25} mean {np.average(values, weights=weights):8.3f}  most {values.max():8.3f}  {worst}")
    for kind, pairs in bends.items():
        for text, column in zip(("recorded", "bent"), zip(*pairs, strict=True), strict=True):
            quantiles = np.quantile(np.concatenate(column), (0.25, 0.5, 0.75, 0.95))
            print(f"{kind}, {text}: curvature 1/m, quartiles and 95 %: " + " ".join(f"{q:.2f}" for q in quantiles))
    print(f"{1000 * took / seconds * 4:.0f} ms of one core for 4 seconds of a clip")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder of the motion data")
    sys.exit(main(parser.parse_args().data))
