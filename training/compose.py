"""Pairs composed of single clips: two recorded people who never met, laid together so that they could have.

    python -m training.compose [DATA] [COUNT]

prints what comes of it: pairs and minutes of each kind, how near the bodies come and how far apart people are. DATA is
the folder of the motion data; without it MOTIONDIFF_DATA names it.

Each of the two is a stretch of a clip, turned about the vertical axis and moved over the ground, at times mirrored, and
played up to 15 % slower or faster; no motion is bent. What holds of each kind stands in compose_kinds.
"""

import os
import sys
import time
from dataclasses import dataclass, replace

import numpy as np

from blender_motiondiff.core.constraints.bodies import FLESH, penetration
from blender_motiondiff.core.constraints.rows import Poses
from blender_motiondiff.core.motion import forward_kinematics, turned
from blender_motiondiff.core.rotations import normalize
from blender_motiondiff.core.skeleton import INDEX

from .compose_kinds import KINDS, ORIGIN
from .compose_stock import stock_of
from .dataset import Clip, for_training, load_clips, read_index

DRAWS = 400  # for one pair of a kind, before the kind is given up
PUSHES = 4  # times that two who touch are moved apart before another draw
ROOM = 0.03  # metres left between them when they are
HAND = 0.5  # of the forearm's length that the hand goes on beyond the wrist, curled as it may be
WRISTS, ELBOWS = ([INDEX[f"{side}_{j}"] for side in ("left", "right")] for j in ("wrist", "elbow"))


@dataclass(frozen=True)
class Composed:
    """Two clips of equal length and rate, each naming the other as partner, and the kind of pair that they make."""

    kind: str
    persons: tuple[Clip, Clip]

    @property
    def name(self):
        """`composed:KIND:clipA+clipB`."""
        return self.persons[0].name.removesuffix(":a")


def composed(clips, rng, count):
    """`count` pairs of kinds at random, a list of Composed. `clips`: name -> Clip; `rng`: numpy Generator.

    Kinds for which the clips have nothing are left out. Raises ValueError where they have nothing for any kind.
    """
    stock = stock_of(list(clips.values()))
    shares = {kind: share for kind, (_, _, share) in KINDS.items()}
    pairs = []
    while len(pairs) < count:
        if not shares:
            raise ValueError(
                "No pair can be composed of these clips: they are too short, or hold no walks, gestures or exercises"
            )
        weight = np.array(list(shares.values()))
        kind = str(rng.choice(list(shares), p=weight / weight.sum()))
        pair = compose(stock, kind, rng)
        if pair is None:
            del shares[kind]
        else:
            pairs.append(pair)
    return pairs


def compose(stock, kind, rng):
    """One Composed of a kind; None where none came of many draws."""
    draw, holds, _ = KINDS[kind]
    for _ in range(DRAWS):
        laid = draw(stock, rng)
        if laid is None or not holds(*laid):
            continue
        pair = settled(kind, laid, holds, rng.uniform(-np.pi, np.pi))
        if pair is not None:
            return pair
    return None


def settled(kind, laid, holds, yaw):
    """Two laid cuts moved apart until they don't touch, turned by `yaw`, as a Composed; None where that fails."""
    a, b = laid
    name = f"composed:{kind}:{a.cut.track.clip.name}+{b.cut.track.clip.name}"
    persons = a.clip(f"{name}:a", f"{name}:b"), b.clip(f"{name}:b", f"{name}:a")
    poses, pushed = poses_of(persons), np.zeros(2)
    for _ in range(PUSHES):
        depth = overlap(moved(poses, pushed))
        if depth.max() == 0:
            return Composed(kind, (placed(persons[0], yaw, ORIGIN), placed(persons[1], yaw, pushed)))
        way = (b.moved(pushed).path - a.path)[depth > 0].mean(0)
        pushed = pushed + way / max(np.linalg.norm(way), 1e-6) * (depth.max() + ROOM)
        if not holds(a, b.moved(pushed)):
            return None
    return None


def placed(clip, yaw, by):
    """A clip moved by `by [2]` metres, then turned by `yaw` radians about the origin."""
    moved = replace(clip.motion, root=clip.motion.root + np.append(by, 0.0))
    return replace(clip, motion=turned(moved, yaw))


def poses_of(persons):
    """The Poses of two clips of one rate, forearms longer by the hands, as the skeleton ends at the wrists."""
    found = [forward_kinematics(c.motion.root, c.motion.rotations, c.motion.body.offsets) for c in persons]
    places, turns = (np.stack(part) for part in zip(*found, strict=True))
    places[:, :, WRISTS] += HAND * (places[:, :, WRISTS] - places[:, :, ELBOWS])
    sizes = np.array([c.motion.body.size for c in persons])
    return Poses(np.arange(places.shape[1]) / persons[0].motion.fps, places, turns, sizes)


def moved(poses, by):
    """The same with the second person `by [2]` metres further."""
    return replace(poses, places=poses.places + np.array([[0.0, 0.0, 0.0], [*by, 0.0]])[:, None, None])


def overlap(poses):
    """How deep two bodies are in each other on each frame `[T]`, metres."""
    a, b = poses.places[..., :2]
    way = normalize(b[:, 0] - a[:, 0])[..., None]
    far, near = (a @ way)[..., 0] + FLESH * poses.sizes[0], (b @ way)[..., 0] - FLESH * poses.sizes[1]
    # Most frames need no closer look: there is a gap between the two, square to the line from one to the other.
    frames = np.flatnonzero(far.max(1) > near.min(1))
    out = np.zeros(len(a))
    if len(frames):
        close = Poses(poses.times[frames], poses.places[:, frames], poses.turns[:, frames], poses.sizes)
        out[frames] = penetration(close)
    return out


def survey(pairs):
    """Lines that say what pairs there are: number, minutes, nearest pelvises, their mean distance, deepest overlap."""
    yield f"{'kind':10} pairs  minutes  seconds each  clips  nearest m  mean m  deepest cm"
    for kind in KINDS:
        of = [p for p in pairs if p.kind == kind]
        if not of:
            continue
        seconds = np.array([p.persons[0].motion.duration for p in of])
        apart = [np.linalg.norm(np.diff([c.motion.root[:, :2] for c in p.persons], axis=0)[0], axis=-1) for p in of]
        clips = {n for p in of for n in p.name.split(":", 2)[2].split("+")}
        deepest = 100 * max(overlap(poses_of(p.persons)).max() for p in of)
        yield (
            f"{kind:10} {len(of):5}  {seconds.sum() / 60:7.1f}  {seconds.min():4.1f} to {seconds.max():3.1f}"
            f"  {len(clips):7}"
            f"  {min(d.min() for d in apart):9.2f}  {np.mean([d.mean() for d in apart]):6.2f}  {deepest:10.1f}"
        )


def main(folder, count):
    """Composes `count` pairs of the clips for training and prints what they are."""
    rows = read_index(folder)
    clips = for_training(load_clips(folder), rows)
    begin = time.process_time()
    pairs = composed(clips, np.random.default_rng(0), count)
    print(f"{len(pairs)} pairs in {time.process_time() - begin:.0f} s of one core")
    print("\n".join(survey(pairs)))


if __name__ == "__main__":
    main(*(sys.argv[1:2] or [os.environ.get("MOTIONDIFF_DATA", "")]), int((sys.argv[2:] or ["300"])[0]))
