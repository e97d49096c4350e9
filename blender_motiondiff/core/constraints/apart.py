"""Two bodies kept out of each other: whole bodies step aside before their feet stand, arms give way afterwards.

Overlaps of the bones' capsules (bodies) become pushes as in position-based dynamics (Mueller et al. 2007, Position
Based Dynamics, section 3.3), each spread over time before the next is looked for, so that what is added is smooth.
"""

from dataclasses import replace

import numpy as np

from .. import rotations as rot
from ..cleanup.plants import ease, frames_from, largest_near
from ..motion import FPS
from ..reference import smooth
from ..skeleton import COUNT, INDEX, LEGS, PARENTS
from .bodies import BONES, depths, depths_of, ends_of, near_pairs
from .rows import Poses

TOLERANCE = 0.01  # metres by which two bodies may be in each other: flesh gives way that much
ASIDE, GIVE = 0.40, 0.20  # metres that a body of size 1 steps aside at most, and that joints of its arms give way
# Frames ahead of a push and after it over which it comes and goes, round by round: what is left over is short.
ASIDE_FRAMES, GIVE_FRAMES = (15, 15, 10, 8), (6, 5, 4, 4, 3, 3, 3, 3)
SIDE_FRAMES = 10  # to either side: over these limbs stay on one side of each other
RESERVE = 0.06  # metres: bones farther apart than this don't come to touch on the way
STUCK = 0.05  # of the depth: if more is left two bodies go straight away from each other, if that is better
PARTING = 0.2  # seconds: standard deviation in time of the way that is straight away
TRUNKS = 10.0  # how much more trunks have to say about which way a body steps than legs between each other
HOLDS, LETS_GO = 0.20, 0.40  # metres between two wrists: nearer ones stay where they are while a body steps aside
LETTING_GO = 0.15  # seconds: standard deviation in time of how hands that part quickly let go
LET_GO = 0.33  # seconds beside where a hand would be in the other's body, had it not let go
FADE = 0.3  # seconds beside what must stay
LEAST_SAY = 0.2  # of a bone's ends in where it is touched: near a shoulder an arm gives way no farther
STRAIGHT = 0.05  # sine of an elbow's bend under which its usual hinge has the say in where its plane is
ROOT = COUNT  # column of the root in what is frozen

ARMS = np.array([[INDEX[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist")] for side in ("left", "right")])
_LIMBS = (*ARMS[:, 1:], *([INDEX[name] for name in leg] for leg in LEGS))
_KINDS = len(_LIMBS) + 1
# Which limb a bone is of: 0 the trunk, 1 and 2 the arms, 3 and 4 the legs.
_LIMB_OF = np.select([np.isin(BONES[:, 1], limb) for limb in _LIMBS], np.arange(1, _KINDS), 0)
_ARM_OF = np.array([-1, 0, 1, -1, -1])[_LIMB_OF]
_FOREARM = np.isin(BONES[:, 1], ARMS[:, 2])
_LEVEL = np.array([1.0, 1.0, 0.0])


def room(frozen):
    """How far bodies may step aside `[P, T]` and arms give way `[P, T, 2]`, 0 to 1, less and less beside what stays.

    `frozen [P, T, 23]` bool: joints' rotations that stay, and in the last column the root's place.
    """
    arms = np.stack([frozen[..., arm].any(-1) for arm in ARMS], 1)
    fixed = np.concatenate([(frozen[..., ROOT] | frozen[..., 0])[:, None], arms], 1)
    out = ease(frames_from(fixed) / (FADE * FPS))
    return out[:, 0], np.moveaxis(out[:, 1:], 1, -1)


def aside(poses, free, yielding, contacts=()):
    """Metres `[2, T, 3]` along the ground by which two whole bodies step aside, smoothly.

    `free [2, T]`, `yielding [2, T, 2]`: as `room` has them. What an arm can get out of alone is left to it; `contacts`:
    a request's, whose joints may touch.
    """

    def pairs_at(out):
        return _pairs(poses.places + out[:, :, None], poses, contacts, yielding, arms=False)

    still = np.zeros((2, free.shape[1], 3))
    first = pairs_at(still) if free.any() else None
    if first is None:
        return still
    out, left, begun = _stepped_aside(poses, free, first, pairs_at)
    if left > STUCK * begun:
        away = smooth((poses.places[0, :, 0] - poses.places[1, :, 0]) * _LEVEL, PARTING)
        straight, rest, _ = _stepped_aside(poses, free, first, pairs_at, away)
        out, left = (straight, rest) if rest < left else (out, left)
    return out if left < begun else still


def _stepped_aside(poses, free, pairs, pairs_at, away=None):
    """What `aside` answers, and how deep bones are in each other in all then and before, metres.

    `pairs`: those to begin with; `pairs_at(out)`: of bodies that have moved. `away [T, 3]`: which way the first person
    goes; None: on the side of the other on which it is for the most part.
    """
    out, at, frames = np.zeros((2, free.shape[1], 3)), 0.0, free.shape[1]
    share = (free * free / np.maximum(free.sum(0), 1e-9))[..., None] * np.array([1.0, -1.0])[:, None, None]
    asked, begun, ends = np.zeros_like(out), None, None
    for reach in (*ASIDE_FRAMES, None):
        if np.abs(out - at).max() > RESERVE:
            pairs, at, ends = pairs_at(out), out, None
        if pairs is None:
            return out, 0.0, begun
        frame, first, second = pairs
        ends = ends_of(poses.places, pairs) if ends is None else ends
        moved = out[:, frame].swapaxes(1, 2)[:, None]
        depth, _, way, flesh = depths_of(ends + moved, poses.sizes, pairs)
        over = np.maximum(depth - TOLERANCE, 0.0)
        left = float(over.sum())
        begun = left if begun is None else begun
        if reach is None or not left:
            break
        say = over * np.where((_LIMB_OF[first] == 0) & (_LIMB_OF[second] == 0), TRUNKS, 1.0)
        if away is None:
            away = np.zeros((frames, 3))
            away[frame] = _sides(frame, 0, say, way, (frames, 1), reach) * _LEVEL
        far, way = _out_by_side(away[frame], over, way, flesh)
        asked += share * _spread(_together(frame, way * _LEVEL * far[:, None], say, frames), reach)
        out = _limited(asked, ASIDE * poses.sizes[:, None] * free)
    return out, left, begun


def give_way(motions, poses, yielding, stepped, contacts=()):
    """Motions of two persons with their arms out of each other's bodies, and Poses that fit them.

    `poses`: those of `motions`; `yielding [2, T, 2]`: as `room` has it; `stepped [2, T, 3]`: how far bodies stepped
    aside, which hands that are near the other's don't go along with; `contacts`: a request's, whose joints may touch.
    """
    frames, sizes = len(poses.times), poses.sizes

    def pairs_at(places):
        return _pairs(places, poses, contacts, yielding, arms=True) if yielding.any() else None

    lengths = np.stack([[rot.length(m.body.offsets[ARMS[:, k]]) for k in (1, 2)] for m in motions])
    held, now, pairs = _held(poses, stepped, yielding, lengths, pairs_at)
    most, moved, asked = GIVE * sizes[:, None, None] * yielding, held, np.zeros_like(held)
    seen, side = now, None
    for reach in GIVE_FRAMES:
        if np.abs(now - seen).max() > RESERVE:
            pairs, seen, side = pairs_at(now), now, None
        if pairs is None:
            break
        depth, along, way, flesh = depths(now, sizes, pairs)
        over = np.maximum(depth - TOLERANCE, 0.0)
        if not over.any():
            break
        if side is None:
            limbs, share = _LIMB_OF[pairs[1]] * _KINDS + _LIMB_OF[pairs[2]], _shares(pairs, yielding)
            side = _sides(pairs[0], limbs, over, way, (frames, _KINDS**2), SIDE_FRAMES)
        far, way = _out_by_side(side, over, way, flesh)
        push = _arm_pushes(pairs, np.stack([way, -way]), far * share, along, over, frames)
        asked += np.moveaxis(_spread(push.reshape(frames, -1), reach).reshape(push.shape), 1, 0)
        moved = held + _limited(asked, most[..., None])
        now = _reached(poses.places, moved, lengths)
    if not moved.any():
        return list(motions), poses
    rotations, turns = _turned(np.stack([m.rotations for m in motions]), poses, now, moved.any((2, 3, 4)))
    out = [replace(m, rotations=r) if b.any() else m for m, r, b in zip(motions, rotations, moved, strict=True)]
    return out, Poses(poses.times, now, turns, sizes)


# --- pushes -----------------------------------------------------------------------------------------------------------


def _pairs(places, poses, contacts, yielding, arms):
    """Pairs of bones that are in each other or may come to be; None where none is by more than TOLERANCE.

    Those of which one is of an arm that can give way (`arms` True), or the others.
    """
    pairs = near_pairs(replace(poses, places=places), contacts, RESERVE)
    chosen = _arms_yield(pairs, yielding).any(0) == arms
    pairs = tuple(part[chosen] for part in pairs)
    depth = depths(places, poses.sizes, pairs)[0]
    if not (depth > TOLERANCE).any():
        return None
    return tuple(part[depth > -RESERVE] for part in pairs)


def _arms_yield(pairs, yielding):
    """Whether it is an arm of the first, of the second person that can give way `[2, N]`."""
    frame, *bones = pairs
    return np.stack([(_ARM_OF[b] >= 0) & (yielding[p, frame, _ARM_OF[b]] > 0) for p, b in enumerate(bones)])


def _shares(pairs, yielding):
    """Of each pair's push, what the arms of both take `[2, N]`: all where the other can't, half where both can."""
    frame, *bones = pairs
    arms = _arms_yield(pairs, yielding)
    own = np.stack([np.where(arms[p], yielding[p, frame, _ARM_OF[b]], 0.0) for p, b in enumerate(bones)])
    return own * own / np.maximum(own.sum(0), 1e-9)


def _sides(frame, kind, over, way, shape, reach):
    """On which side of each other limbs are for the most part, in the frames about a pair's: ways `[N, 3]`.

    `kind [N]`: which limbs; `shape`: numbers of frames and of kinds. Where limbs pass through each other their way out
    turns round in between, and pushes both ways would come to nothing.
    """
    frames, kinds = shape
    key, weight = kind * frames + frame, over * over
    total = np.stack([np.bincount(key, weight * way[:, k], frames * kinds) for k in range(3)])
    total = np.cumsum(np.pad(total.reshape(3, kinds, frames), ((0, 0), (0, 0), (reach + 1, reach))), axis=-1)
    near = total[..., 2 * reach + 1 :] - total[..., : -2 * reach - 1]
    return near.reshape(3, -1)[:, key].T


def _out_by_side(side, over, way, flesh):
    """How far `[N]`, and which way `[N, 3]`, the nearest points of pairs go along `side` to come out of each other."""
    length = rot.length(side)[:, None]
    ahead = np.where(length > 1e-12, side / np.maximum(length, 1e-12), way)
    wanted = flesh - TOLERANCE
    apart = wanted - over
    along = apart * rot.dot(way, ahead)
    far = np.sqrt(np.maximum(wanted**2 - apart**2 + along**2, 0.0)) - along
    return np.where(over > 0, far, 0.0), ahead


def _together(key, push, weight, count):
    """Pushes `[N, 3]` with the same key as one, `[count, 3]`: the deepest has the most to say."""
    parts = np.concatenate([push * weight[:, None], weight[:, None]], -1)
    total = np.bincount((4 * key[:, None] + np.arange(4)).ravel(), parts.ravel(), 4 * count).reshape(count, 4)
    return total[:, :3] / np.maximum(total[:, 3:], 1e-9)


def _spread(push, reach):
    """Pushes `[T, K]` that come up to 2 `reach` frames early and go late, smoothly, nowhere less than asked.

    The largest within reach, averaged with a triangle of that width, to either side of each axis apart.
    """
    frames, count = push.shape
    both = np.concatenate([np.maximum(push, 0.0), np.maximum(-push, 0.0)], -1).T
    wide = largest_near(both, reach)[:, np.clip(np.arange(-reach, frames + reach), 0, frames - 1)]
    for width in (reach, reach + 1):
        total = np.zeros((len(wide), wide.shape[1] + 1))
        np.cumsum(wide, axis=-1, out=total[:, 1:])
        wide = (total[:, width:] - total[:, :-width]) / width
    return (wide[:count] - wide[count:])[:, :frames].T


def _limited(moved, most):
    """`moved [..., 3]`, as it is where it is short, never longer than `most [...]` metres: a bound without a kink."""
    share = np.minimum(rot.length(moved) / np.maximum(most, 1e-9), 1e6)
    return moved * ((1.0 + share**4) ** -0.25 * (most > 0))[..., None]


# --- arms -------------------------------------------------------------------------------------------------------------


def _held(poses, stepped, yielding, lengths, pairs_at):
    """First moves `[2, T, 2 arms, elbow and wrist, 3]`, and places `[2, T, 22, 3]` and `_pairs` then.

    Wrists near the other's wrists stay where they were before the bodies `stepped` aside, but where that would lead an
    arm into the other's body. The rest as in `give_way`; `pairs_at(places)`: `_pairs` there.
    """
    if not stepped.any():
        return np.zeros((*stepped.shape[:2], 2, 2, 3)), poses.places, pairs_at(poses.places)
    wrists = poses.places[:, :, ARMS[:, 2]] - stepped[:, :, None]
    apart = rot.length(wrists[0][:, :, None] - wrists[1][:, None])
    hold = smooth(ease((LETS_GO - np.stack([apart.min(2), apart.min(1)])) / (LETS_GO - HOLDS)), LETTING_GO)
    back = -stepped[:, :, None] * (hold * (yielding > 0))[..., None]
    out = np.stack([0.5 * back, back], 3)
    now = _reached(poses.places, out, lengths)
    pairs = pairs_at(now)
    if pairs is None or not out.any():
        return out, now, pairs
    frame, *bones = pairs
    inside, deep = np.zeros((2, 2, stepped.shape[1]), bool), depths(now, poses.sizes, pairs)[0] > TOLERANCE
    for person, bone in enumerate(bones):
        at = deep & (_ARM_OF[bone] >= 0)
        inside[person, _ARM_OF[bone[at]], frame[at]] = True
    if not inside.any():
        return out, now, pairs
    out = out * ease(frames_from(inside) / (LET_GO * FPS)).swapaxes(1, 2)[..., None, None]
    now = _reached(poses.places, out, lengths)
    return out, now, pairs_at(now)


def _arm_pushes(pairs, way, far, along, over, frames):
    """Pushes `[T, 2 persons, 2 arms, elbow and wrist, 3]` of both persons' bones of `pairs` (N of them).

    `way [2, N, 3]`, `far [2, N]`: where to and how far they go; `along [2, N]`: shares of their length at which they
    are touched. Of a bone's ends each moves as far as it has a say in where the bone is touched; shoulders stay.
    """
    bone = np.stack(pairs[1:])
    elbow = np.where(_FOREARM[bone], 1.0 - along, along)
    wrist = np.where(_FOREARM[bone], along, 0.0)
    push = way * (far / np.maximum(elbow**2 + wrist**2, LEAST_SAY))[..., None]
    at = person, pair = np.nonzero((far > 0) & (_ARM_OF[bone] >= 0))
    key = 8 * pairs[0][pair] + 4 * person + 2 * _ARM_OF[bone[at]]
    say, key = np.stack([elbow[at], wrist[at]]), np.stack([key, key + 1])
    pushes, weight = push[at] * say[..., None], np.where(say > 0, over[pair], 0.0)
    return _together(key.ravel(), pushes.reshape(-1, 3), weight.ravel(), 8 * frames).reshape(frames, 2, 2, 2, 3)


def _reached(places, moved, lengths):
    """Places `[2, T, 22, 3]` with elbows and wrists moved, as near as bones of `lengths [2, 2, 2]` let them."""
    out = places.copy()
    own, by = out.reshape(-1, COUNT, 3), moved.reshape(-1, 2, 2, 3)
    at = np.flatnonzero(by.any((1, 2, 3)))
    upper, lower = lengths[at // places.shape[1]].swapaxes(0, 1)[..., None]
    shoulder, elbow, wrist = (own[at[:, None], joint] for joint in ARMS.T)
    elbow, wrist = elbow + by[at, :, 0], wrist + by[at, :, 1]
    for _ in range(2):
        elbow = shoulder + upper * rot.normalize(elbow - shoulder)
        lacking = wrist - elbow
        elbow = elbow + 0.7 * (lacking - lower * rot.normalize(lacking))
    elbow = shoulder + upper * rot.normalize(elbow - shoulder)
    own[at[:, None], ARMS[:, 1]] = elbow
    own[at[:, None], ARMS[:, 2]] = elbow + lower * rot.normalize(wrist - elbow)
    return out


def _turned(rotations, poses, now, moved):
    """Local rotations and world turns `[2, T, 22, 4]` of both persons, their elbows and wrists where `now` has them.

    `rotations`: before, like `poses`; `now [2, T, 22, 3]`: places; `moved [2, T]`: on which frames they are elsewhere.
    """
    shoulder, elbow, wrist = ARMS.T
    turns, local = poses.turns.copy(), rotations.copy()
    upper = poses.places[:, :, elbow] - poses.places[:, :, shoulder]
    lower = poses.places[:, :, wrist] - poses.places[:, :, elbow]
    hinge = _hinges(upper, lower, turns[:, :, shoulder])[moved]
    before, places, world = (upper[moved], lower[moved]), now[moved], turns[moved]
    after = places[:, elbow] - places[:, shoulder], places[:, wrist] - places[:, elbow]
    upper = _upper_turn(before, after, hinge)
    lower = rot.multiply(rot.shortest_arc(rot.rotate(upper, before[1]), after[1]), upper)
    own, at = world.copy(), local[moved]
    own[:, shoulder] = rot.multiply(upper, world[:, shoulder])
    own[:, elbow] = rot.multiply(lower, world[:, elbow])
    own[:, wrist] = rot.multiply(lower, world[:, wrist])
    for joint in (shoulder, elbow):
        at[:, joint] = rot.multiply(rot.conjugate(own[:, PARENTS[joint]]), own[:, joint])
    turns[moved], local[moved] = own, at
    return local, turns


def _hinges(upper, lower, turn):
    """The axis fixed to each upper arm about which its elbow mostly bends in the clip `[2, T, 2, 3]`."""
    own = rot.rotate(rot.conjugate(turn), rot.cross(upper, lower)).sum(1, keepdims=True)
    return rot.normalize(rot.rotate(turn, np.broadcast_to(own, upper.shape)))


def _upper_turn(before, after, hinge):
    """World turns `[T, 2, 4]` that take upper arms, and the planes in which their elbows bend, to where they go."""
    swing = rot.shortest_arc(before[0], after[0])
    least = (STRAIGHT * rot.length(before[0]) * rot.length(before[1]))[..., None] * hinge
    was, wanted = rot.rotate(swing, rot.cross(*before) + least), rot.cross(*after) + rot.rotate(swing, least)
    axis = rot.normalize(after[0])
    was, wanted = (rot.normalize(v - rot.dot(v, axis)[..., None] * axis) for v in (was, wanted))
    # The sine, for the angle: the same for small ones, and no leap where an elbow comes to bend the other way.
    twist = rot.dot(rot.cross(was, wanted), axis)
    return rot.multiply(rot.from_rotvec(twist[..., None] * axis), swing)
