"""A plan of steps along a path: which foot joint stands when.

A path says where somebody goes, not with which foot; a network that answers with the mean of all it might mean glides.
So the steps are settled first, as a cycle whose length and stances depend on speed, and given to the network as
observed contacts. The table was measured on the walks and runs of the training data (medians of 609 cycles, contacts by
cleanup.contacts' rule); each take draws its own first foot and pace.
"""

import numpy as np

from .. import rotations as rot
from ..cleanup.plants import ground_speed, runs
from ..motion import FPS, forward_kinematics
from ..skeleton import FEET

# Speed (m/s, for a body of size 1), seconds a cycle, shares of the cycle that the toe and the ankle stand; the ankle's
# stance begins with the toe's, the other foot's half a cycle later.
SPEED = np.array([0.35, 0.65, 0.95, 1.25, 1.6, 2.1, 2.8, 3.8])
CYCLE = np.array([1.31, 1.17, 1.17, 1.10, 0.88, 0.80, 0.68, 0.66])
TOE_STANDS = np.array([0.62, 0.58, 0.52, 0.49, 0.40, 0.28, 0.20, 0.16])
ANKLE_STANDS = np.array([0.55, 0.53, 0.45, 0.41, 0.25, 0.19, 0.15, 0.12])
STILL = 0.12  # metres a second: slower, both feet stand ...
SHUFFLE = 0.15  # ... and so they do where a faster stretch leads less than this far, metres
LANDING = 0.4  # seconds in which a foot that is in the air where the path stops comes down
PACE = 0.05  # how far a take's pace may be from the median, as a share
IN_STEP_AGAIN = 1.5  # seconds from a key in which somebody who walks in step is out of it
FLICKER = 3  # frames: shorter, a foot was not in the air
KEY_REACH = 0.45  # largest change of the cycle at a key, in cycles, to bring its pose in step


def path_speed(place, size, fps=FPS):
    """Speed along a path `[T, 2]` in body sizes a second `[T]`."""
    if len(place) < 2:
        return np.zeros(len(place))
    speed = ground_speed(place, fps) / size
    for start, end in runs(speed > STILL):
        if np.ptp(place[start:end], axis=0).max() < SHUFFLE * size:
            speed[start:end] = np.minimum(speed[start:end], STILL)
    return speed


def cycle_phase(speed, start, pace, size, fps=FPS):
    """Phase in cycles `[T]`: 0 where the left foot touches down."""
    # A larger body steps more slowly, as a pendulum of its leg's length swings.
    seconds = np.interp(speed, SPEED, CYCLE) * np.sqrt(size) / pace
    moving = speed > STILL
    for _, end in runs(moving):
        moving[end : end + int(LANDING * fps)] = True
    rate = np.where(moving, 1.0 / seconds, 0.0) / fps
    return start + np.concatenate([[0.0], np.cumsum(0.5 * (rate[1:] + rate[:-1]))])


def contacts_at(phase, speed, fps=FPS):
    """Contacts `[T, 4]` (order of skeleton.FEET) at phases `[T]` and speeds `[T]`.

    Where a path stops, a foot in the air comes down first; then both stand.
    """
    toe, ankle = np.interp(speed, SPEED, TOE_STANDS), np.interp(speed, SPEED, ANKLE_STANDS)
    left, right = phase % 1.0, (phase + 0.5) % 1.0
    stands = np.stack([left < ankle, left < toe, right < ankle, right < toe], -1)
    for start, end in runs(speed <= STILL):
        landing = min(end, start + int(LANDING * fps)) if start else start
        down = np.maximum.accumulate(stands[max(start - 1, 0) : landing], axis=0)[min(start, 1) :]
        stands[start:landing] = down
        stands[landing:end] = True
    return stands.astype(float)


def phase_of_contacts(contacts):
    """The phase of steps that were recorded, in cycles `[T]`; None of fewer than two. `contacts [T, 4]`.

    It is whole where the left foot touches down and a half more where the right one does, and passes evenly between.
    """
    stands = np.asarray(contacts).reshape(-1, 2, 2).max(-1) > 0.5
    down = [(start, side) for side in (0, 1) for start in _touch_downs(stands[:, side])]
    down = dict(sorted(down))  # of two feet that come down at once, as after a jump, one is a step
    if len(down) < 2:
        return None
    frames, sides = np.array(list(down)), np.array(list(down.values()))
    gone = np.where(sides[1:] == sides[:-1], 1.0, 0.5)
    at = 0.5 * sides[0] + np.concatenate([[0.0], np.cumsum(gone)])
    time, rates = np.arange(len(stands)), np.diff(at) / np.diff(frames)
    out = np.interp(time, frames, at)
    out[: frames[0]] -= (frames[0] - time[: frames[0]]) * rates[0]
    out[frames[-1] :] += (time[frames[-1] :] - frames[-1]) * rates[-1]
    return out


def _touch_downs(stands):
    """Frames in which a foot comes down that was in the air for more than FLICKER frames; flags `[T]`."""
    return [end for start, end in runs(~stands) if end - start > FLICKER and start > 0 and end < len(stands)]


def carried_on(contacts, speed, size, fps=FPS):
    """Contacts `[T, 4]` that go on from known ones `[N, 4]`, the first of T frames with speeds `[T]`.

    The phase is the one whose steps agree best with the last second of them.
    """
    known = len(contacts)
    near = slice(max(0, known - int(fps)), known)
    phases = cycle_phase(speed, 0.0, 1.0, size, fps)
    starts = np.arange(0, 1, 1 / 48)
    agree = [(contacts_at(phases + s, speed)[near] == contacts[near]).mean() for s in starts]
    return contacts_at(phases + starts[int(np.argmax(agree))], speed)


def phase_of_pose(rotations, body, speed):
    """The phase `[]` at which a walking body would be nearest to a pose `[22, 4]`, from where its feet are.

    In stance a foot moves back under the pelvis at the walking speed, in swing it comes forward again.
    """
    local = np.array(rotations)
    local[0] = rot.multiply(rot.about_z(-rot.heading(local[0])), local[0])
    places, _ = forward_kinematics(np.zeros(3), local, body.offsets)
    ahead = -(places[[FEET[0], FEET[2]], 1] - places[:1, 1])
    lift = places[[FEET[1], FEET[3]], 2]
    lift = (lift - lift.min()) / body.size
    phases = np.arange(0, 1, 1 / 48)
    stance = float(np.interp(speed, SPEED, TOE_STANDS))
    stride = speed * body.size * float(np.interp(speed, SPEED, CYCLE)) * stance / 2
    cost = np.zeros(len(phases))
    for side in (0, 1):
        at = (phases + 0.5 * side) % 1.0
        swing = (at - stance) / (1 - stance)
        wanted = np.where(at < stance, 1 - 2 * at / stance, -np.cos(np.pi * np.clip(swing, 0, 1))) * stride
        height = np.where(at < stance, 0.0, 0.1 * np.sin(np.pi * np.clip(swing, 0, 1)))
        cost += (wanted - ahead[side]) ** 2 + (height - lift[side]) ** 2
    return float(phases[cost.argmin()])


def plan_phase(place, body, rng, keys=(), fps=FPS, phase_from=None):
    """The phase of the steps along a path `[T, 2]`, in cycles `[T]`: 0 where the left foot touches down.

    `keys`: (frame, local rotations `[22, 4]`) of full poses that the steps must fit; the cycle stretches between them.
    `phase_from [T]`: somebody else's phase, to walk in step with wherever both move (half a cycle more or less: left
    with their right); keys have the say near themselves.
    """
    size = body.size
    speed = path_speed(place, size, fps)
    phase = cycle_phase(speed, rng.random(), 1 + PACE * rng.uniform(-1, 1), size, fps)
    if phase_from is not None:
        phase = _in_step(phase, np.asarray(phase_from, float), speed)
    moving = [(frame, pose) for frame, pose in keys if speed[frame] > STILL]
    if not moving:
        return phase
    frames, shifts, so_far = [frame for frame, _ in moving], [], None
    for frame, pose in moving:
        wanted = phase_of_pose(pose, body, speed[frame]) - phase[frame]
        if so_far is None:
            so_far = wanted if phase_from is None else 0.0
        so_far += np.clip((wanted - so_far + 0.5) % 1.0 - 0.5, -KEY_REACH, KEY_REACH)
        shifts.append(so_far)
        if phase_from is not None:
            so_far = 0.0
    if phase_from is not None:
        frames, shifts = _fading(frames, shifts, int(round(IN_STEP_AGAIN * fps)))
    return phase + np.interp(np.arange(len(place)), frames, shifts)


def _in_step(phase, other, speed):
    """An own phase `[T]` that follows `other [T]` where both move, and keeps its own rate elsewhere."""
    both = (speed > STILL) & (np.gradient(other) > 1e-9 if len(other) > 1 else False)
    starts = np.flatnonzero(both & ~np.concatenate([[False], both[:-1]]))
    if not len(starts):
        return phase
    shift, at = other - phase, np.flatnonzero(both)
    # Every stretch of walking together begins at the nearest phase that is in step; between them the shift passes over.
    last = np.concatenate([[starts[0]], at[np.searchsorted(at, starts[1:]) - 1]])
    turns = np.round(shift[starts] - shift[last])
    turns = np.cumsum(turns)[np.searchsorted(starts, at, side="right") - 1]
    return phase + np.interp(np.arange(len(phase)), at, shift[at] - turns)


def _fading(frames, shifts, reach):
    """Frames and shifts with nothings `reach` frames beside each key that has no other key there."""
    out = dict(zip(frames, shifts, strict=True))
    for before, after in zip([-np.inf, *frames], [*frames, np.inf], strict=True):
        if after - before > 2 * reach:
            out.update({f: 0.0 for f in (before + reach, after - reach) if np.isfinite(f)})
    return zip(*sorted(out.items()), strict=True)
