"""Every kind of constraint asked of real motion: what is missed, and how natural the answer is beside the recording.

    python -m evaluation.constraint_kinds [DATA]

From windows of recorded clips that were never trained on, the constraint is read off the recording itself (its path,
poses, places of hands), so it can be met; the answer's jerk and foot skating stand beside the recording's own.
"""

import os
import sys
from dataclasses import replace

import numpy as np

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.cleanup.skating import gmd_foot_skating_ratio
from blender_motiondiff.core.constraints.ground import over_ground
from blender_motiondiff.core.denoiser import onnx_backend
from blender_motiondiff.core.diffusion.generate import generate
from blender_motiondiff.core.motion import FPS, forward_kinematics, positions
from blender_motiondiff.core.request import (
    Character,
    Contact,
    Facing,
    Ground,
    Key,
    LookAt,
    Obstacle,
    Path,
    Pin,
    Request,
    Spacing,
    Sphere,
    Sync,
    Target,
    Vary,
)  # fmt: skip
from blender_motiondiff.core.skeleton import COUNT, INDEX, JOINTS
from training.dataset import kept_out, load_clips

from . import metrics
from .real_clips import usable

SECONDS = 4.0
ARMS = ("left_shoulder", "left_elbow", "right_shoulder", "right_elbow")
ASIDE = 0.38  # metres beside the pelvis: an arm that swings past touches what stands there
LOOSE = 0.05  # metres: tolerance of the rough keys


def window(motion, seconds=SECONDS):
    """The stretch of `seconds` from the middle of a motion; None where it is too short."""
    frames = int(round(seconds * FPS)) + 1
    start = (motion.frames - frames) // 2
    if start < 0:
        return None
    part = slice(start, start + frames)
    return replace(motion, root=motion.root[part], rotations=motion.rotations[part], fps=FPS)


def key_at(motion, frame, **change):
    """The recorded pose at a frame as a Key."""
    return replace(Key(frame / FPS, motion.rotations[frame], root=motion.root[frame]), **change)


def single_requests(motion):
    """Requests for one person, by kind, each read off the recording `motion` of SECONDS."""
    times = np.arange(motion.frames) / FPS
    places, turns = forward_kinematics(motion.root, motion.rotations, motion.body.offsets)
    path, middle = Path(times, motion.root[:, :2]), motion.frames // 2
    marks = np.linspace(0, motion.frames - 1, 5).astype(int)
    sparse = Path(times[marks], motion.root[marks, :2], sparse=True)
    untimed = replace(sparse, times=np.where(np.isin(marks, marks[[0, -1]]), times[marks], np.nan))
    wrist, held = INDEX["right_wrist"], slice(middle - 6, middle + 7)
    place = places[held, wrist].mean(0)
    pin = Pin("right_wrist", times[middle - 6], times[middle + 6], place=place)
    near = np.full((COUNT, 3), np.nan)
    near[wrist] = places[middle, wrist]
    keys = tuple(key_at(motion, f) for f in marks)
    keep = np.ones((motion.frames, COUNT))
    between, after, arms = keep.copy(), keep.copy(), keep.copy()
    between[30:-30], after[40:] = 0.0, 0.0
    arms[:, [INDEX[j] for j in ARMS]] = 0.0

    def one(**known):
        return Request((Character("A", motion.body, **known),), SECONDS)

    return {
        "path": one(path=path), "path, raw": one(path=replace(path, raw=True)), "path, 5 waypoints": one(path=sparse),
        "path, waypoints without time": one(path=untimed),
        "path, heights": one(path=replace(path, heights=motion.root[:, 2])),
        "path, heading": one(path=replace(path, heading="given", headings=_headings(motion))),
        "keys": one(keys=keys), "keys on a path": one(path=path, keys=(keys[1], keys[3])),
        "partial keys": one(path=path, keys=(replace(keys[2], joints=ARMS, root=None),)),
        "keyed place": one(path=path, keys=(replace(keys[2], joints=(), root=None, places=near),)),
        "rough keys": one(path=path, keys=tuple(replace(k, tolerance=LOOSE) for k in (keys[1], keys[3]))),
        "pin, place": one(path=path, pins=(pin,)),
        "pin, place and turn": one(path=path, pins=(replace(pin, rotation=turns[middle, wrist]),)),
        "contact, own hands": replace(one(path=path), contacts=(_clap(0, 0, times, middle),)),
        "look at a point": replace(one(path=path), look_ats=(LookAt(0, Target(point=places[-1, 15])),)),
        "obstacle": replace(one(path=path), obstacles=(Obstacle(_post(motion, place[2])),)),
        "slope": replace(one(path=path), ground=_slope(motion)),
        "in between": one(motion=motion, keep=between), "continue": one(motion=motion, keep=after),
        "arms anew": one(motion=motion, keep=arms),
        "vary": one(motion=motion, vary=Vary(0.5)), "vary an arm": one(motion=motion, vary=Vary(0.8, JOINTS[16:20:2])),
    }  # fmt: skip


def couple_requests(leader, follower):
    """Requests for a couple: the leader's motion is there, the follower's is to be made."""
    times, middle = np.arange(leader.frames) / FPS, leader.frames // 2

    def two(**known):
        other = Character("B", follower.body, **known)
        return Request((Character("A", leader.body, motion=leader), other), SECONDS)

    partner = Target(partner=True)
    return {
        "reaction": two(),
        "contact, hands of two": replace(two(), contacts=(_clap(0, 1, times, middle),)),
        "hand in hand": replace(two(), contacts=(Contact((0, "left_wrist"), (1, "right_wrist"), 0.06, 1.0, 2.5),)),
        "spacing": replace(two(), spacings=(Spacing(0.5, 0.9),)),
        "facing": replace(two(), facings=(Facing(1, partner),)),
        "look at the partner": replace(two(), look_ats=(LookAt(1, partner),)),
        "mirror": replace(two(), syncs=(Sync(mirror=True),)),
        "reaction, keys": two(keys=(key_at(follower, middle),)),
    }


def _clap(a, b, times, middle):
    return Contact((a, "left_wrist"), (b, "right_wrist"), 0.12, times[middle - 8], times[middle + 8])


def _post(motion, height):
    """A small ball beside the path at a hand's height, where the path comes nearest to it only once."""
    root, turn = motion.root[:, :2], rot.about_z(_headings(motion))
    spots = [root + sign * rot.rotate(turn, np.array([ASIDE, 0.0, 0.0]))[:, :2] for sign in (1, -1)]
    spots = np.concatenate(spots)[:: motion.frames // 8]
    nearest = np.linalg.norm(spots[:, None] - root[None], axis=-1).min(1)
    return Sphere(np.append(spots[nearest.argmax()], height), 0.05)


def _headings(motion):
    return np.unwrap(rot.heading(motion.rotations[:, 0]))


def _slope(motion):
    x = np.arange(-12, 13)
    heights = np.broadcast_to(0.1 * x[:, None], (25, 25))
    return Ground(motion.root[0, :2] - 12.0, 1.0, heights - heights[12, 12])


def measure(request, take, real):
    """Figures of one answer: what hard constraints miss, jerk and skating against the recording's."""
    rows = take.report["constraints"]
    hard = [r for r in rows if r["hard"]]
    made = [p for p, c in enumerate(request.characters) if not c.given][0]
    motion = take.motions[made]
    places, toe = positions(motion), motion.body.foot_heights[1]
    flat = places if request.ground is None else over_ground(request.ground, places)
    recorded, rest = positions(real), real.body.foot_heights[1]
    return {
        "worst_cm": max((r.get("worst_cm", 0.0) for r in hard), default=0.0),
        "worst_deg": max((r.get("worst_deg", 0.0) for r in hard), default=0.0),
        "wish_cm": max((r.get("worst_cm", 0.0) for r in rows if not r["hard"]), default=0.0),
        "wish_deg": max((r.get("mean_deg", 0.0) for r in rows if not r["hard"]), default=0.0),
        "jerk_ratio": metrics.jerk(places, FPS) / metrics.jerk(recorded, FPS),
        "worst_jolt_m_s2": metrics.jolt(places, FPS),
        "worst_jolt_given_m_s2": max(
            (metrics.jolt(positions(c.motion), FPS) for c in request.characters if c.given), default=0.0
        ),
        "skating": gmd_foot_skating_ratio(flat, FPS, toe),
        "skating_real": gmd_foot_skating_ratio(recorded, FPS, rest),
    }


def cases(folder, singles=8, couples=2):
    """(kind, request, recording) over windows of clips kept out of training: `singles` that go somewhere, `couples`."""
    clips = load_clips(folder, names=kept_out())
    windows = {n: window(m) for n, c in clips.items() if (m := usable(c)) is not None}
    windows = {n: w for n, w in windows.items() if w is not None}
    going = [n for n in windows if not clips[n].partner and np.ptp(windows[n].root[:, :2], axis=0).max() > 1.0]
    for name in going[:: max(1, len(going) // singles)][:singles]:
        for kind, request in single_requests(windows[name]).items():
            yield kind, request, windows[name]
    for name in [n for n in windows if clips[n].partner in windows and n < clips[n].partner][:couples]:
        other = windows[clips[name].partner]
        for kind, request in couple_requests(windows[name], other).items():
            yield kind, request, other


def table(folder, denoiser, steps=1, **limits):
    """Mean figures by kind; `worst_...` are worsts over the windows."""
    found = {}
    for kind, request, real in cases(folder, **limits):
        take = generate(replace(request, steps=steps), denoiser)[0]
        found.setdefault(kind, []).append(measure(request, take, real))
    return {
        kind: {k: float((np.max if k.startswith("worst") else np.mean)([r[k] for r in rows])) for k in rows[0]}
        for kind, rows in found.items()
    }


def main(folder):
    """Prints the table at one step and at two."""
    denoiser = onnx_backend.load()
    for steps in (1, 2):
        made = table(folder, denoiser, steps)
        names = list(next(iter(made.values())))
        print(f"{steps} steps".ljust(30) + "".join(n.rjust(13) for n in names))
        for kind, row in made.items():
            print(kind.ljust(30) + "".join(f"{row[n]:13.3f}" for n in names))


if __name__ == "__main__":
    data = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("MOTIONDIFF_DATA")
    sys.exit(main(data) if data else "No motion data: set MOTIONDIFF_DATA or name the folder.")
