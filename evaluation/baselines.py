"""What anyone could answer without learning: splines between keys, and partners looked up, mirrored or standing still.

All answers are Motions on the body that was asked for, in the leader's world frame. Takes of two people come from the
training couples of the motion data, the mirrored ones too (`load_pairs`), and a "frame" of a leader is the place of
the pelvis on the ground with the heading, a little smoothed (`core.reference.own_frames`).

    python -m evaluation.baselines --data FOLDER      what each reaches on every training take, looked up in the others
"""

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from blender_motiondiff.core import reference as ref
from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.cleanup.plants import runs
from blender_motiondiff.core.files.recording import FileError
from blender_motiondiff.core.motion import (
    FPS,
    Motion,
    global_rotations,
    local_rotations,
    mirror,
    positions,
    resample,
    turned,
)
from blender_motiondiff.core.skeleton import COUNT, FEET, INDEX
from training.dataset import for_training, kept_out, load_clips, read_index

# Chosen on the training takes alone, each answered from the others (`main` prints the table).
NEIGHBOURS = 16
STRIDE = 10  # frames between those that windows of leaders are compared at


# --- between keys -----------------------------------------------------------------------------------------------------


def spline(frames, poses, count):
    """A Motion of `count` frames through the keys `poses` (a Motion of K frames) at rising `frames [K]`.

    Places go along cubic Hermite curves, rotations along quaternion ones with the angular velocities that the
    neighbours give (Kim, Kim and Shin 1995, A General Construction Scheme for Unit Quaternion Curves with Simple High
    Order Derivatives, section 4). Held before the first key and after the last.
    """
    frames = np.asarray(frames, float)
    if len(frames) == 1:
        return replace(poses, root=np.repeat(poses.root, count, 0), rotations=np.repeat(poses.rotations, count, 0))
    gap = np.diff(frames)
    steps = rot.to_rotvec(rot.multiply(rot.conjugate(poses.rotations[:-1]), poses.rotations[1:]))
    spin = _slopes(steps, gap)
    speed = _slopes(np.diff(poses.root, axis=0), gap)
    at = np.clip(np.arange(count), frames[0], frames[-1])
    k = np.clip(np.searchsorted(frames, at, side="right") - 1, 0, len(gap) - 1)
    long, t = gap[k], (at - frames[k]) / gap[k]
    b1, b2, b3 = 1 - (1 - t) ** 3, 3 * t**2 - 2 * t**3, t**3  # cumulative Bernstein polynomials
    third = long[:, None] / 3
    moves = [speed[k] * third, poses.root[k + 1] - poses.root[k] - (speed[k] + speed[k + 1]) * third]
    root = poses.root[k] + b1[:, None] * moves[0] + b2[:, None] * moves[1] + b3[:, None] * speed[k + 1] * third
    first, last = (spin[i] * third[:, None] for i in (k, k + 1))
    ends = rot.multiply(poses.rotations[k], rot.from_rotvec(first)), rot.from_rotvec(-last)
    middle = rot.to_rotvec(rot.multiply(rot.conjugate(ends[0]), rot.multiply(poses.rotations[k + 1], ends[1])))
    turns = poses.rotations[k]
    for share, part in ((b1, first), (b2, middle), (b3, last)):
        turns = rot.multiply(turns, rot.from_rotvec(share[:, None, None] * part))
    return replace(poses, root=root, rotations=rot.normalize(turns), fps=FPS)


def _slopes(steps, gap):
    """Velocities `[K, ...]` at keys from the steps `[K - 1, ...]` between them: parabolas through three keys each.

    At the ends the acceleration is zero.
    """
    wide = gap.reshape(-1, *[1] * (steps.ndim - 1))
    speed = steps / wide
    out = np.concatenate([speed[:1], speed])
    if len(gap) > 1:
        before, after = wide[:-1], wide[1:]
        out[1:-1] = (speed[:-1] * after + speed[1:] * before) / (before + after)
        out[0], out[-1] = 1.5 * speed[0] - 0.5 * out[1], 1.5 * speed[-1] - 0.5 * out[-2]
    return out


# --- couples that are there ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pairs:
    """N frames of couples at 30 a second, stretch after stretch; the partner as the leader's frame sees it."""

    pose: np.ndarray  # [N, F] of the leader: what is compared, float32
    place: np.ndarray  # [N, 2] of the leader's frame, metres
    heading: np.ndarray  # [N] radians
    stretch: np.ndarray  # [N] number of the stretch, as many as there are leaders' uncut recordings
    take: np.ndarray  # [N] name of the leader's clip
    root: np.ndarray  # [N, 3] of the partner, in units of the partner's size above the ground, metres along it
    turns: np.ndarray  # [N, 22, 6] of the partner's joints, against the leader's frame, float32 (rotations.to_6d)


def load_pairs(folder):
    """The training couples of the motion data, and their mirror images. Raises FileError."""
    folder = Path(folder)
    if not (folder / "shards" / "index.csv").is_file():
        raise FileError(f"{folder} holds no motion data (shards/index.csv). Name its folder, or go without couples.")
    rows = read_index(folder)
    clips = load_clips(folder, names={n for n, r in rows.items() if r["partner"]} - kept_out())
    clips = for_training(clips, rows)
    parts, number = [], 0
    for name, clip in clips.items():
        if clip.partner in clips and name < clip.partner:
            for leader, follower in _stretches(clip, clips[clip.partner]):
                for flip in (lambda m: m, mirror):
                    parts.append(_entry(flip(leader), flip(follower), number, name))
                    number += 1
    if not parts:
        raise FileError(f"{folder} holds no couple to learn from. Take the whole motion data.")
    return Pairs(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _stretches(a, b):
    """(leader, follower) over every stretch of two seconds or more in which both are sound, at 30 frames a second."""
    count = min(a.motion.frames, b.motion.frames)
    for start, end in runs(a.good[:count] & b.good[:count]):
        times = np.arange(start, end - 1, a.motion.fps / FPS) / a.motion.fps
        if len(times) >= 2 * FPS:
            yield tuple(replace(resample(c.motion, times), fps=FPS) for c in (a, b))


def _entry(leader, follower, number, name):
    place, heading = frames_of(leader)
    root, turns = _seen(follower, place, heading)
    size = np.array([1.0, 1.0, 1.0 / follower.body.size])
    count = leader.frames
    return pose_of(leader), place, heading, np.full(count, number), np.full(count, name), root * size, _as_6d(turns)


def frames_of(leader):
    """Places `[T, 2]` and headings `[T]` of a leader's own moving frames."""
    return ref.own_frames(leader.root[:, :2], np.unwrap(rot.heading(leader.rotations[:, 0])))


def pose_of(leader):
    """What leaders are compared by `[T, 64]` at body size 1: joints about the pelvis in its heading, and its height."""
    places = positions(leader) / leader.body.size
    back = rot.about_z(-rot.heading(leader.rotations[:, 0]))[:, None]
    own = rot.rotate(back, places[:, 1:] - places[:, :1])
    return np.concatenate([own.reshape(len(own), -1), places[:, 0, 2:]], -1).astype(np.float32)


def _seen(motion, place, heading):
    """Root `[T, 3]` and turns `[T, 22, 4]` of all joints of a motion against moving frames."""
    back = rot.about_z(-heading)
    off = motion.root - np.concatenate([place, np.zeros((len(place), 1))], -1)
    return rot.rotate(back, off), rot.multiply(back[:, None], global_rotations(motion.rotations))


def _placed(root, turns, place, heading, body):
    """The Motion of a body from what `_seen` gives."""
    turn = rot.about_z(heading)
    flat = rot.rotate(turn, root)
    flat[:, :2] += place
    world = rot.multiply(turn[:, None], turns)
    return Motion(flat, local_rotations(world), body, FPS)


# --- partners ---------------------------------------------------------------------------------------------------------


def _as_6d(turns):
    return rot.to_6d(turns).astype(np.float32)


def _distances(pose, pairs):
    """Squared distances `[T, N]` of leaders' poses."""
    return (pose**2).sum(-1)[:, None] + (pairs.pose**2).sum(-1) - 2 * pose @ pairs.pose.T


def nearest_partner(leader, body, pairs):
    """The partner of the recorded leader who does most nearly the same over the whole window.

    That couple is moved as a whole to where the leaders' mean places and headings agree. Where no stretch is as long,
    it starts as early as possible in the longest and its last frame is held.
    """
    marks = np.arange(0, leader.frames, STRIDE)
    longest = np.bincount(pairs.stretch).max()
    marks = marks[marks < longest]
    apart = _distances(pose_of(leader)[marks], pairs)
    last = min(leader.frames, longest) - 1
    start = np.arange(len(pairs.stretch) - last)
    start = start[pairs.stretch[start] == pairs.stretch[start + last]]
    total = sum(apart[k][start + mark] for k, mark in enumerate(marks))
    at = start[total.argmin()] + np.minimum(np.arange(leader.frames), last)
    place, heading = frames_of(leader)
    angle = np.angle(np.exp(1j * (heading - pairs.heading[at])).mean())
    turns = rot.from_6d(pairs.turns[at])
    own = _placed(pairs.root[at] * [1, 1, body.size], turns, pairs.place[at], pairs.heading[at], body)
    moved = turned(own, angle)
    middle = turned(replace(own, root=np.append(pairs.place[at].mean(0), 0.0)[None]), angle, 0.0).root[0, :2]
    return replace(moved, root=moved.root + np.append(place.mean(0) - middle, 0.0))


def pose_neighbours(leader, body, pairs, count=NEIGHBOURS):
    """Per frame the mean of the partners of the `count` recorded frames whose leaders' poses are nearest.

    Means are taken in the leader's moving frame, of the pelvis' place and of every joint's turn (as matrices, made
    rotations again by their first two columns).
    """
    apart = _distances(pose_of(leader), pairs)
    near = np.argpartition(apart, count - 1, axis=1)[:, :count]
    turns = sum(pairs.turns[near[:, k]] for k in range(count)) / count
    return _placed(pairs.root[near].mean(1) * [1, 1, body.size], rot.from_6d(turns), *frames_of(leader), body)


def mirrored_leader(leader, body):
    """The leader's mirror image in a plane before the leader, so that the two face each other 0.72 m apart."""
    place, heading = frames_of(leader)
    root, turns = _seen(leader, place, heading)
    image = mirror(Motion(root, local_rotations(turns), leader.body))
    root = image.root * (body.size / leader.body.size)
    return _placed(root, global_rotations(image.rotations), *ref.facing(place, heading), body)


def still(leader, body, pairs):
    """Somebody who stands still at the partners' mean place before the leader's mean place, in their mean pose.

    Without `pairs` (None) 0.72 m before the leader, arms down, facing.
    """
    place, heading = frames_of(leader)
    middle = np.angle(np.exp(1j * heading).mean())
    if pairs is None:
        turns = global_rotations(_arms_down())
        place, middle = ref.facing(place.mean(0), np.array(middle))
        root = np.array([0.0, 0.0, body.standing_height])
    else:
        place = place.mean(0)
        root = pairs.root.mean(0) * [1, 1, body.size]
        turns = rot.from_6d(pairs.turns.mean(0))
    once = _placed(root[None], turns[None], place[None], np.array([middle]), body)
    # A mean of poses bends the legs as nobody's are, and its feet hang in the air.
    hanging = (positions(once)[0, list(FEET), 2] - body.foot_heights).min()
    stood = once.root - np.array([0.0, 0.0, hanging])
    return replace(once, root=np.repeat(stood, leader.frames, 0), rotations=np.repeat(once.rotations, leader.frames, 0))


def _arms_down(angle=1.4):
    """Local rotations `[22, 4]` of a relaxed stance."""
    out = np.tile(rot.IDENTITY, (COUNT, 1))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        out[INDEX[f"{side}_shoulder"]] = rot.from_rotvec([0.0, sign * angle, 0.0])
    return out


# --- chosen on the training takes -------------------------------------------------------------------------------------

WINDOW, APART = 120, 240  # frames of a window, and from one to the next
COUNTS = (1, 4, 8, 16, 32, 64)


def without(pairs, take):
    """The couples but for one take and its mirror image."""
    kept = pairs.take != take
    return Pairs(*(column[kept] for column in vars(pairs).values()))


def _windows(folder, takes):
    """(take, leader, follower) over windows of training couples."""
    rows = read_index(folder)
    names = set(takes) | {rows[name]["partner"] for name in takes}
    clips = load_clips(folder, names=names)
    for name in takes:
        for pair in _stretches(clips[name], clips[clips[name].partner]):
            for start in range(0, pair[0].frames - WINDOW + 1, APART):
                part = slice(start, start + WINDOW)
                yield name, *(replace(m, root=m.root[part], rotations=m.rotations[part]) for m in pair)


def table(folder):
    """Mean joint error in metres of every baseline by name, each training take answered from the others."""
    pairs, sums = load_pairs(folder), {}
    looked_up = {"nearest partner": nearest_partner, "still": still}
    for count in COUNTS:
        looked_up[f"pose neighbours, {count}"] = lambda *known, k=count: pose_neighbours(*known, count=k)
    looked_up["mirrored leader"] = lambda leader, body, _: mirrored_leader(leader, body)
    for take, leader, follower in _windows(folder, sorted(set(pairs.take))):
        others = without(pairs, take)
        for name, answer in looked_up.items():
            made = answer(leader, follower.body, others)
            error = np.linalg.norm(positions(made) - positions(follower), axis=-1).mean()
            sums.setdefault(name, []).append(error)
    return {name: (float(np.mean(errors)), len(errors)) for name, errors in sums.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m evaluation.baselines", description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the motion data")
    for title, (metres, windows) in table(parser.parse_args().data).items():
        print(f"{title:20} {metres:.3f} m over {windows} windows")
