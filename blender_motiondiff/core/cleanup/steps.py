"""Steps that standing feet must take: where they stray too far from any one place, or are keyed or pinned elsewhere.

Functions take many feet at once, leading axes in front of the frames: `[..., T]` flags, sizes `[...]` or a number.
"""

import numpy as np

from .. import rotations as rot
from ..skeleton import REFERENCE_LEG
from .plants import STEP_HEIGHT, all_runs, ease

DRIFT = 0.25  # metres: a foot that strays farther from its anchor takes a step instead ...
EASY_REACH = 0.35  # ... unless its hip comes no farther than this from the anchor over the ground; ...
EASILY = 0.9  # ... or than this share of what the leg spans from a hip so low; ...
FAR_DRIFT = 0.35  # ... so far it has stepped in any case (metres, for a leg of 0.85 m)
ANKLE_HIGH = 0.08  # metres over the ground, for such a leg, of the ankle of a foot that stands
STEP = 8  # frames of such a step
STANCE = 32  # frames that a foot stands at least before it steps to where it is pinned, or after it has stepped away
MUCH_MORE = 1.3  # times as far as it goes by itself where it would step otherwise
KEYED_STEP = 16  # frames of a step between keyed places, where there is time for it
KEYED_APART = 0.03  # metres, for a leg of 0.85 m: keyed places of a standing foot that are one place
STRIDE = 0.15  # metres, for such a leg: toes that stand farther apart than this stand for different steps
PIVOT = 0.6  # metres a second, for such a leg, at which a heel goes about a toe that stands at most, on average
HASTE = 3.5  # metres a second, for a leg of 0.85 m, at which a foot goes from place to place at most, on average


def steps(standing, toe, size, keyed=None, side=0, hip=None, pinned=None):
    """Steps that a standing foot must take, as it strays too far from any one place: heights `[..., T]`, 0 where it
    stands.

    `standing [..., T]` flags; `toe [..., T, 3]` metres. `keyed [..., T]` flags frames whose pose stays: between two of
    them that have the foot in different places it takes a step, however near they are. `side [...]`: 0 steps before 1.
    `hip [..., T, 3]`: that of the leg, which may reach the anchor easily wherever the foot strays; None: it does not.
    `pinned [..., T]`: which of the keyed frames are so because the foot has to stand at a place.
    """
    frames = standing.shape[-1]
    flags, places = standing.reshape(-1, frames), toe.reshape(-1, frames, 3)
    hips = np.full(places.shape, np.inf) if hip is None else hip.reshape(-1, frames, 3)
    sizes, sides = (np.broadcast_to(np.reshape(v, -1), len(flags)) for v in (size, side))
    found, out = all_runs(flags), np.zeros(flags.shape)
    if not len(found.row):
        return out.reshape(standing.shape)
    keys, pins = (np.zeros(flags.shape, bool) if f is None else f.reshape(flags.shape) for f in (keyed, pinned))
    first, track = found.first, places[found.at][:, :2]
    away = rot.length(track - found.each(np.add.reduceat(track, first) / found.lengths[:, None]))
    strays = np.maximum.reduceat(away, first) > DRIFT * sizes[found.row]
    several = np.add.reduceat(keys[found.at].astype(int), first) > 1
    for k in np.flatnonzero((strays & (found.lengths >= 3 * STEP)) | several):
        row = found.row[k]
        stance = int(found.start[k]), int(found.end[k])
        _steps_in(out[row], *stance, places[row], sizes[row], keys[row], pins[row], sides[row], hips[row])
    return out.reshape(standing.shape)


def straightened(track, swings, stepping):
    """Metres `[N, T, 3]` along the ground that take tracks `[N, T, 3]` straight through swings that are steps alone.

    `swings`, `stepping [N, T]`: where feet are off the ground, and where that is for a step that they must take. What a
    foot does there by itself is no swing: it strays while it should stand.
    """
    out, found = np.zeros(track.shape), all_runs(swings)
    if not len(found.row):
        return out
    steps_alone = found.each(np.logical_and.reduceat(stepping[found.at], found.first))
    before, after = (track[found.row, np.clip(k, 0, track.shape[1] - 1), :2] for k in (found.start - 1, found.end))
    way = found.each(before) + ease(found.share())[:, None] * found.each(after - before)
    out[found.at + (slice(0, 2),)] = (way - track[found.at][:, :2]) * steps_alone[:, None]
    return out


def _steps_in(out, start, end, toe, size, keyed, pinned, side, hip):
    """Puts the heights of the steps of one stance into `out [T]`."""
    todo = [(start, end)]
    while todo:
        start, end = todo.pop()
        stance = start, end, toe, size
        step = _step_between_keys(*stance, keyed, side)
        if step is None and pinned[start:end].any():
            step = _step_to_pins(*stance, pinned)
        elif step is None:
            step = _step_half_way(*stance, hip, side)
        if step is not None:
            first, length = step
            out[first : first + length] = arc(length, size)
            todo += [(start, first), (first + length, end)]


def _step_between_keys(start, end, toe, size, keyed, side):
    """(first frame, length) of a step between the keyed frames of a stance that are farthest apart; or None."""
    at = start + np.flatnonzero(keyed[start:end])
    if len(at) < 2:
        return None
    apart = rot.length(np.diff(toe[at, :2], axis=0)) * (np.diff(at) > STEP + 1)
    k = int(apart.argmax())
    if apart[k] <= KEYED_APART * size:
        return None
    gap = int(at[k + 1] - at[k] - 1)
    length = int(np.clip(gap // 2 - 2, STEP, KEYED_STEP))
    first, last = int(at[k]) + 1, int(at[k + 1])
    usual = first + int((0.2 + 0.6 * side) * (gap - length))  # one foot after the other, not both at once
    way = np.concatenate([[0], np.cumsum(rot.length(np.diff(toe[first:last, :2], axis=0)))])
    return _where_it_moves(way, toe[first:last, 2], first, (first, last - length), usual, length), length


def _step_to_pins(start, end, toe, size, pinned):
    """(first frame, length) of a step from or to the place where a foot is pinned in a stance, if it is far away.

    It comes where the foot moves by itself, else right before or after these frames. None where the foot is not far, or
    would stand for less than STANCE between that step and the swing beyond: that leads to the pin as well.
    """
    at = start + np.flatnonzero(pinned[start:end])
    for ahead, first, last, pin in ((True, start, at[0], at[0]), (False, at[-1] + 1, end, at[-1])):
        stands = STANCE if (first if ahead else len(pinned) - last) else STEP
        if last - first < stands + STEP or rot.length((toe[first:last] - toe[pin])[:, :2]).mean() <= DRIFT * size:
            continue
        way = np.concatenate([[0], np.cumsum(rot.length(np.diff(toe[first:last, :2], axis=0)))])
        step = last - STEP if ahead else first
        room = first + stands * ahead, last - STEP - stands * (not ahead)
        if way[-1] > 0.5 * DRIFT * size:
            step = first + int(np.searchsorted(way, way[-1] / 2)) - STEP // 2
            return _where_it_moves(way, toe[first:last, 2], first, room, step), STEP
        return int(np.clip(step, *room)), STEP
    return None


def _step_half_way(start, end, toe, size, hip, side):
    """(first frame, length) of a step near the middle of the way of a foot that strays while it stands; or None."""
    track, above = toe[start:end, :2], hip[start:end, :2]
    away = rot.length(track - track.mean(0)).max()
    if away <= DRIFT * size or len(track) < 3 * STEP:
        return None
    if away <= FAR_DRIFT * size and (rot.length(above - track.mean(0)) <= _easy_reach(hip[start:end, 2], size)).all():
        return None
    return half_way(start, end, toe, side), STEP


def half_way(start, end, toe, side):
    """First frame of a step near the middle of the way that a foot goes in a stance of three times STEP or more."""
    way = np.concatenate([[0], np.cumsum(rot.length(np.diff(toe[start:end, :2], axis=0)))])
    # Feet that are carried along together step one after the other.
    half = np.searchsorted(way, way[-1] / 2) + (2 * side - 1) * (STEP // 2 + 1)
    usual = start + int(half) - STEP // 2
    return _where_it_moves(way, toe[start:end, 2], start, (start + STEP, end - 2 * STEP), usual)


def arc(length, size):
    """Metres `[length]` that a foot goes up in a step of so many frames."""
    return STEP_HEIGHT * size * np.sin(np.pi * np.arange(1, length + 1) / (length + 1)) ** 2


def _easy_reach(height, size):
    """Metres over the ground within which hips at a `height [T]` reach a standing foot easily: low ones reach far."""
    leg = REFERENCE_LEG * size
    return np.maximum(EASY_REACH * size, EASILY * np.sqrt(np.maximum(leg**2 - (height - ANKLE_HIGH * size) ** 2, 0.0)))


def _where_it_moves(way, height, start, room, usual, length=STEP):
    """First frame of a step of `length` frames of a foot that has gone `way [T]` along the ground since `start`.

    Within `room` (first and last possible ones) it is the `usual` one, but where the foot moves by itself much more,
    along the ground or off it: `height [T]`, metres.
    """
    usual = int(np.clip(usual, *room))
    firsts = np.arange(room[0], room[1] + 1)
    ends = np.minimum(firsts + length - start, len(way) - 1)
    moved = way[ends] - way[firsts - start] + (height[(firsts - start + ends) // 2] - height.min())
    most = int(moved.argmax())
    return int(firsts[most]) if moved[most] > MUCH_MORE * moved[usual - room[0]] else usual


def hasty(standing, track, size, fps, keyed):
    """Frames `[N, T]` at the ends of two stances that the step between them needs as well, or it would be too quick.

    `standing [N, T]` flags; `track [N, T, 3]`: where the foot stands then. No stance gives more than a third of its
    frames at either end, or any beyond a keyed one.
    """
    return _gained(standing, track, HASTE * size, fps, keyed, np.ones(standing.shape, bool))


def pivoting(heels, track, size, fps, keyed, toes):
    """As `hasty`, of heels that go from place to place about toes that stand all the while: flags `toes [N, T]`."""
    return _gained(heels, track, PIVOT * size, fps, keyed, toes)


def stepping_heels(heels, toes, track, size):
    """Heels `[N, T]` said to stand while their toes go from one stance to another far away: flags `heels`, `toes`.

    `track [N, T, 3]`: where the toes stand.
    """
    out, found = np.zeros(toes.shape, bool), all_runs(~toes)
    inner = (found.start > 0) & (found.end < toes.shape[1])
    before, after = (track[found.row, np.clip(k, 0, toes.shape[1] - 1), :2] for k in (found.start - 1, found.end))
    out[found.at] = found.each(inner & (rot.length(after - before) > STRIDE * size[found.row]))
    return out & heels


def _gained(standing, track, most, fps, keyed, within):
    """Frames `[N, T]` that stances give so that nothing is faster than `most [N]` metres a second between them.

    Only between stances with nothing but frames `within [N, T]` from one to the other.
    """
    frames, out, found = standing.shape[1], np.zeros(standing.shape, bool), all_runs(~standing)
    inner = (found.start > 0) & (found.end < frames)
    if len(inner):
        inner &= np.logical_and.reduceat(within[found.at], found.first)
    row, start, end = found.row[inner], found.start[inner], found.end[inner]
    way = rot.length((track[row, np.minimum(end, frames - 1)] - track[row, start - 1])[:, :2])
    lacking = np.ceil(way * fps / most[row]) - (end - start + 1)
    for r, first, last, frames_more in zip(row, start, end, np.ceil(0.5 * lacking), strict=True):
        if frames_more > 0:
            before = _given_up(standing[r, :first][::-1], keyed[r, :first][::-1], int(frames_more))
            after = _given_up(standing[r, last:], keyed[r, last:], int(frames_more))
            out[r, first - before : last + after] = standing[r, first - before : last + after]
    return out


def _given_up(standing, keyed, wanted):
    """How many of its first frames a stance can give, of those `wanted`; flags `[T]` from its end inwards."""
    stance = np.flatnonzero(~standing)
    length = stance[0] if len(stance) else len(standing)
    stays = np.flatnonzero(keyed[:length])
    return int(min(wanted, length // 3, stays[0] if len(stays) else length))
