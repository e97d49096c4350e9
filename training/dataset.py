"""The recorded clips as canonical motions: scale, floor, bad frames and defects handled as the data's README says."""

import csv
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from blender_motiondiff.core.cleanup.contacts import label_contacts
from blender_motiondiff.core.motion import Motion, positions

from . import pack
from .skeletons import SkeletonError, canonical_motion, ground_height, source_of
from .soundness import impossible

ROTVEC_UNIT = np.pi / 32767  # radians a stored unit
BAD_MARGIN = 6  # frames at 60 a second left out on either side of a bad one
LISTS = {part: Path(__file__).with_name(f"{part}_clips.txt") for part in ("training", "choosing", "validation")}

# Defects the data's README names that no number in the index marks; the clips are left out of training whole.
LEFT_OUT = {
    "060_06": "the leader's head is wrong throughout",
    "094_04": "legs flip, a foot under the floor",
    "094_07": "legs flip, a foot under the floor",
    "127_01": "rides a motorcycle that is not there",
    "135_08": "rides a motorcycle that is not there",
} | dict.fromkeys(
    [f"hdm05_{kick}" for kick in (
        "bd_kickLFront1Reps_001", "bd_kickLFront1Reps_002", "bd_kickLFront1Reps_005", "bd_kickLFront1Reps_006",
        "mm_kickLFront1Reps_023", "mm_kickLFront1Reps_024",
    )],
    "the right foot is rolled by 180 degrees throughout",
)  # fmt: skip
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
    text: str = ""  # what is said of it, in words


def read_index(data):
    """Rows of the data's index by clip name, each with its `split`, of the data folder or a packed dataset file."""
    if pack.is_packed(data):
        return pack.read_rows(data)
    with open(Path(data) / "shards" / "index.csv", newline="") as file:
        rows = {row["clip"]: row for row in csv.DictReader(file)}
    parts = {name: part for part in LISTS for name in names_of(part)}
    return {name: row | {"split": parts.get(name, "")} for name, row in rows.items()}


def read_clip(name, row, body, shard):
    """One clip of the data folder as a Clip. Raises SkeletonError."""
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
    good &= ~impossible(motion)
    lift = np.array([0.0, 0.0, ground])
    motion = Motion(motion.root - lift, motion.rotations, motion.body, fps)
    contacts = label_contacts(places - lift, motion.body, fps)
    # A class of several kinds says nothing certain of one clip.
    text = row["description"] if "," in row["action_class"] else f"{row['action_class']} {row['description']}"
    return Clip(name, motion, contacts, good, row["partner"], row["action_class"], text)


def load_clips(data, names=None, report=None):
    """All usable clips by name, of the data folder or a packed dataset file.

    `names`: only these. `report(text)` is told what is left out and why.
    """
    if pack.is_packed(data):
        return {n: Clip(**fields) for n, fields in pack.read_clips(data, names).items()}
    folder = Path(data)
    rows = read_index(folder)
    bodies = json.loads((folder / "shards" / "skeletons.json").read_text())
    clips, by_shard = {}, {}
    for name, row in rows.items():
        if names is None or name in names:
            by_shard.setdefault(row["shard"], []).append(name)
    for shard_name, members in by_shard.items():
        with np.load(folder / "shards" / shard_name) as shard:
            for name in members:
                try:
                    clips[name] = read_clip(name, rows[name], bodies[rows[name]["skeleton"]], shard)
                except SkeletonError as error:
                    (report or _silent)(f"{name}: left out, {error}")
    return clips


def _silent(text):
    return None


# --- the split --------------------------------------------------------------------------------------------------------


def names_of(part, data=None):
    """Names of the clips of a part of the split: "training", "choosing" or "validation".

    By the committed lists, or by what `data` says of its own clips where that is a packed dataset file.
    """
    if pack.is_packed(data):
        return {name for name, row in pack.read_rows(data).items() if row["split"] == part}
    return set(LISTS[part].read_text().split())


def choosing(data=None):
    """Names of the clips on which checkpoints are chosen."""
    return names_of("choosing", data)


def validation(data=None):
    """Names of the clips from which all figures of quality come; nothing is chosen on them."""
    return names_of("validation", data)


def kept_out(data=None):
    """Names of the clips that training never sees: those to choose on and those to validate on."""
    return choosing(data) | validation(data)


def why_left_out(name, row):
    """Why a clip of the data folder is left out whole, in words; "" for a usable one."""
    if name in LEFT_OUT:
        return LEFT_OUT[name]
    if row["shard"] in UNEVEN_GROUND:
        return "walks on uneven ground that is not recorded"
    return "climbs on props that are not recorded" if row["action_class"].startswith("climb") else ""


def for_training(clips, rows):
    """The clips that training may see: not kept out, not defective, on level ground. `rows`: from `read_index`."""
    return {name: clip for name, clip in clips.items() if rows[name]["split"] == "training"}


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
