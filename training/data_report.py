"""What a dataset holds, in numbers: minutes by kind, feet, bodies, and which clips are doubtful."""

from dataclasses import asdict, dataclass

import numpy as np

from blender_motiondiff.core.cleanup.plants import runs
from blender_motiondiff.core.cleanup.skating import gmd_foot_skating_ratio
from blender_motiondiff.core.motion import positions
from blender_motiondiff.core.skeleton import FEET, INDEX, JOINTS, Measures, measures_of

from .soundness import UPRIGHT, impossible
from .soundness import steps as steps_of

TOES = (FEET[1], FEET[3])
# A clip is doubtful beyond these; recorded motion that is right stays within them but for a few acrobatics.
ROLLED = 60.0  # degrees in 1/30 s by which a joint other than a toe or wrist, which are noisy, turns
NOISY = ("left_foot", "right_foot", "left_wrist", "right_wrist")
SUNK = 6.0  # cm of a toe joint under where it stands
CROUCH = (
    0.35,
    0.75,
)  # heights of the pelvis, of the standing height, of somebody upright, in which at least one foot stands
AIR = 12.0  # cm of both toe joints over where they stand in a crouch
CUT = 0.1  # seconds left out for rolls or turned legs
SKATING = 0.5  # share of the frames


@dataclass(frozen=True)
class Facts:
    """One clip in numbers, over its good frames but for the first three, at 30 frames a second.

    `seconds` of the clip, `left_out` of these for any reason, `impossible` as rolls or turned legs. `skating`: GMD's
    ratio, toes over their rest height. `contact`: share of frames that a toe stands, mean of both. `roll`: largest turn
    of a joint that is not NOISY in one frame, degrees, and `roll_joint` which. `sunk`, `air`: cm that a toe lies under
    the ground, and that both are over it in a crouch.
    """

    seconds: float
    left_out: float
    impossible: float
    skating: float
    contact: float
    roll: float
    roll_joint: str
    sunk: float
    air: float

    @property
    def doubts(self):
        """Why the clip is doubtful, in words; empty for a sound one."""
        tests = (
            (self.impossible > CUT, f"{self.impossible:.1f} s of rolls or turned legs, left out"),
            (self.roll > ROLLED, f"{self.roll_joint} rolls by {self.roll:.0f} degrees in a frame"),
            (self.sunk > SUNK, f"a foot {self.sunk:.0f} cm under the floor"),
            (self.air > AIR, f"both feet {self.air:.0f} cm in the air in a crouch"),
            (self.skating > SKATING, f"feet slide in {self.skating:.0%} of the frames"),
        )
        return [words for holds, words in tests if holds]


def facts_of(clip):
    """Facts about a Clip at 30 frames a second; one without two good frames in a row measures 0 throughout."""
    motion, good = clip.motion, clip.good
    fps, body = motion.fps, motion.body
    places = positions(motion)
    stretches = [(a, b) for a, b in runs(good) if b - a > 1]
    spans = tuple(float(n / fps) for n in (motion.frames, (~good).sum(), impossible(motion).sum()))
    if not stretches:
        return Facts(*spans, 0.0, 0.0, 0.0, "", 0.0, 0.0)
    ratios = [gmd_foot_skating_ratio(places[a:b], fps, body.foot_heights[1]) for a, b in stretches]
    steps = np.concatenate([steps_of(motion.rotations[a:b], fps) for a, b in stretches])
    lift = 100 * (places[good][:, list(TOES), 2] - body.foot_heights[1])
    height = places[good][:, 0, 2] / body.standing_height
    neck = places[good][:, INDEX["neck"], 2] - places[good][:, 0, 2]
    upright = neck > UPRIGHT * body.rest_positions[INDEX["neck"], 2]
    low = (height > CROUCH[0]) & (height < CROUCH[1]) & upright
    steps[:, [INDEX[name] for name in NOISY]] = 0.0
    joint = int(steps.max(0).argmax())
    contact = clip.contacts[good][:, [1, 3]].mean()
    return Facts(
        *spans, float(np.average(ratios, weights=[b - a for a, b in stretches])), float(contact),
        float(steps.max()), JOINTS[joint], float(max(0.0, -lift.min())), float(lift.min(1)[low].max(initial=0.0)),
    )  # fmt: skip


def report(clips, rows, notes, size=0):
    """Everything a report says, as a JSON-able dict. `clips` at 30 frames a second; `notes`: dropped, repaired."""
    facts = {name: facts_of(clip) for name, clip in clips.items()}
    bodies = {c.motion.body.offsets.tobytes(): c.motion.body for c in clips.values()}
    table = np.array([list(vars(measures_of(b)).values()) for b in bodies.values()])
    couples = [n for n, c in clips.items() if c.partner in clips and n < c.partner]

    def grouped(key):
        groups = {}
        for name in clips:
            groups.setdefault(key(name) or "(not named)", []).append(facts[name])
        return {g: _sum(f) for g, f in sorted(groups.items(), key=lambda item: -sum(f.seconds for f in item[1]))}

    return {
        "clips": len(clips), "minutes": sum(f.seconds for f in facts.values()) / 60, "bytes": size,
        "couples": len(couples), "couple_minutes": sum(facts[n].seconds for n in couples) / 60,
        "split": grouped(lambda n: rows[n]["split"]), "kinds": grouped(lambda n: clips[n].action),
        "terms": grouped(lambda n: rows[n]["terms"]),
        "people": grouped(lambda n: "of a couple" if clips[n].partner else "alone"),
        "bodies": len(bodies),
        "measures_m": {
            name: {"least": column.min(), "median": float(np.median(column)), "greatest": column.max()}
            for name, column in zip(Measures.__dataclass_fields__, table.T, strict=True)
        },
        "dropped": [{"clip": n, "why": w} for n, w in notes.dropped],
        "repaired": [{"clip": n, "what": w} for n, w in notes.repaired],
        "doubtful": [
            {"clip": n, "terms": rows[n]["terms"], "split": rows[n]["split"], "why": f.doubts}
            for n, f in facts.items() if f.doubts
        ],
        "facts": {n: asdict(f) for n, f in facts.items()},
    }  # fmt: skip


def _sum(facts):
    """Clips, minutes and means over time of a group's facts."""
    seconds = np.array([f.seconds - f.left_out for f in facts])
    weights = seconds if seconds.sum() > 0 else np.ones(len(facts))
    return {
        "clips": len(facts), "minutes": sum(f.seconds for f in facts) / 60,
        "skating": float(np.average([f.skating for f in facts], weights=weights)),
        "contact": float(np.average([f.contact for f in facts], weights=weights)),
        "doubtful": sum(bool(f.doubts) for f in facts),
        "doubtful_minutes": sum(f.seconds for f in facts if f.doubts) / 60,
    }  # fmt: skip


# --- in words ---------------------------------------------------------------------------------------------------------


def text(found, title):
    """A report in Markdown."""
    lines = [f"# {title}", "", _summary(found)]
    for key, head in (("split", "Part of the split"), ("kinds", "Kind"), ("people", "People"), ("terms", "Terms")):
        lines += ["", *_table(found[key], head)]
    lines += ["", f"Bodies: {found['bodies']}. Lengths in metres:", "", "| | least | median | greatest |"]
    lines += ["|---|---|---|---|"]
    for name, m in found["measures_m"].items():
        lines.append(f"| {name.replace('_', ' ')} | {m['least']:.3f} | {m['median']:.3f} | {m['greatest']:.3f} |")
    lines += _list("Left out", [(d["clip"], d["why"]) for d in found["dropped"]])
    lines += _list("Repaired or guessed", [(d["clip"], d["what"]) for d in found["repaired"]])
    doubts = [(f"{d['clip']} ({d['terms'] or d['split']})", "; ".join(d["why"])) for d in found["doubtful"]]
    lines += _list("Doubtful, kept: look at these, or take them out", doubts)
    return "\n".join(lines) + "\n"


def _summary(found):
    pairs = f"{found['couples']} couples ({found['couple_minutes']:.1f} minutes)"
    size = f" in {found['bytes'] / 1e6:.1f} MB" if found["bytes"] else ""
    return (
        f"{found['clips']} clips, {found['minutes']:.1f} person-minutes, {pairs}{size}. Skating: share of frames in "
        "which a toe on the ground slides (GMD's ratio). Contact: share of frames in which a toe stands."
    )


def _table(groups, head):
    lines = [f"| {head} | clips | minutes | skating | contact | doubtful | minutes of these |", f"|---{6 * '|---'}|"]
    for name, g in groups.items():
        feet = f"{g['skating']:.3f} | {g['contact']:.2f}"
        doubts = f"{g['doubtful']} | {g['doubtful_minutes']:.2f}"
        lines.append(f"| {name} | {g['clips']} | {g['minutes']:.2f} | {feet} | {doubts} |")
    return lines


def _list(head, entries):
    if not entries:
        return ["", f"{head}: none."]
    return ["", f"{head}: {len(entries)}.", "", *(f"- {name}: {why}" for name, why in entries)]
