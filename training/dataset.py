"""The recorded clips as canonical motions: scale, floor, bad frames and defects handled as the data's README says."""

import csv
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from blender_motiondiff.core.cleanup.contacts import label_contacts
from blender_motiondiff.core.motion import Motion, positions

from .skeletons import canonical_motion, convention_of, ground_height, source_of

ROTVEC_UNIT = np.pi / 32767  # radians a stored unit
BAD_MARGIN = 6  # frames at 60 a second left out on either side of a bad one
KEPT_OUT = Path(__file__).with_name("validation_clips.txt")

# Defects the data's README names that no number in the index marks; the clips are left out of training whole.
LEFT_OUT = {
    "060_06": "the leader's head is wrong throughout",
    "094_04": "legs flip, a foot under the floor",
    "094_07": "legs flip, a foot under the floor",
    "127_01": "rides a motorcycle that is not there",
    "135_08": "rides a motorcycle that is not there",
}
UNEVEN_GROUND = ("cmu-asfamc-003.npz",)


@dataclass(frozen=True)
class Clip:
    """A recorded clip. `motion` at the source's 60 frames a second (some 30); `good [F]` marks usable frames."""

    name: str
    motion: Motion
    contacts: np.ndarray  # [F, 4] bool
    good: np.ndarray  # [F] bool
    partner: str
    action: str


def read_index(folder):
    """Rows of the data's index by clip name."""
    with open(Path(folder) / "shards" / "index.csv", newline="") as file:
        return {row["clip"]: row for row in csv.DictReader(file)}


def read_clip(name, row, body, shard):
    """One clip of the data folder as a Clip; None for a skeleton without a usable rest pose."""
    if convention_of(body["names"]) is None:
        return None
    scale = body["metres_per_unit"]
    low, high = shard[name + ".rot_lo"], shard[name + ".rot_hi"]
    steps = (low.astype(np.uint16) | (high.astype(np.uint16) << 8)).view(np.int16)
    rotvec = np.cumsum(steps, axis=2, dtype=np.int16).transpose(2, 0, 1) * ROTVEC_UNIT
    root = shard[name + ".root"].astype(np.float64) * scale
    source = source_of(body["names"], body["parents"], np.array(body["offsets"]) * scale)
    fps = float(row["fps"])
    motion = canonical_motion(source, root, rotvec, body["parents"], fps)
    good = np.ones(motion.frames, bool)
    good[: int(row["good_from"] or 0)] = False
    for frame in map(int, row["bad_frames"].split()):
        good[max(0, frame - BAD_MARGIN) : frame + BAD_MARGIN + 1] = False
    places = positions(motion)
    ground = ground_height(places[good], motion.body)
    lift = np.array([0.0, 0.0, ground])
    motion = Motion(motion.root - lift, motion.rotations, motion.body, fps)
    contacts = label_contacts(places - lift, motion.body, fps)
    return Clip(name, motion, contacts, good, row["partner"], row["action_class"])


def load_clips(folder, names=None, report=None):
    """All usable clips of the data folder, by name. `report(text)` is told what is left out and why."""
    folder = Path(folder)
    rows = read_index(folder)
    bodies = json.loads((folder / "shards" / "skeletons.json").read_text())
    clips, by_shard = {}, {}
    for name, row in rows.items():
        if names is None or name in names:
            by_shard.setdefault(row["shard"], []).append(name)
    for shard_name, members in by_shard.items():
        with np.load(folder / "shards" / shard_name) as shard:
            for name in members:
                clip = read_clip(name, rows[name], bodies[rows[name]["skeleton"]], shard)
                if clip is None:
                    (report or _silent)(f"{name}: left out, its skeleton has no T-shaped rest pose")
                else:
                    clips[name] = clip
    return clips


def _silent(text):
    return None


def kept_out():
    """Names of the clips that training never sees."""
    return set(KEPT_OUT.read_text().split())


def for_training(clips, rows):
    """The clips that training may see: not kept out, not defective, on level ground."""
    out = {}
    for name, clip in clips.items():
        climbs = rows[name]["action_class"].startswith("climb")
        if name not in kept_out() and name not in LEFT_OUT and rows[name]["shard"] not in UNEVEN_GROUND and not climbs:
            out[name] = clip
    return out


def main(folder):
    """Prints what is there, minutes by class, and the median measures of the bodies."""
    from blender_motiondiff.core.skeleton import measures_of

    clips = load_clips(folder, report=print)
    bodies = {c.motion.body.offsets.tobytes(): c.motion.body for c in clips.values()}
    table = np.array([list(vars(measures_of(b)).values()) for b in bodies.values()])
    names = list(vars(measures_of(next(iter(bodies.values())))))
    for name, column in zip(names, table.T, strict=True):
        print(f"{name:15} median {np.median(column):.3f}  from {column.min():.3f} to {column.max():.3f}")
    stands = np.mean([c.contacts[c.good].any(1).mean() for c in clips.values()])
    print(f"{len(clips)} clips; a foot stands in {stands:.0%} of the frames of the average clip")


if __name__ == "__main__":
    main(sys.argv[1])
