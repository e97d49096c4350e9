"""What a take's report says: how well each constraint is met, the feet, the bodies, what gave way and why."""

from .. import words
from ..cleanup.skating import gmd_foot_skating_ratio
from ..constraints import collect
from ..constraints.bodies import penetration
from ..constraints.ground import over_ground
from ..constraints.trajectory import path_residual
from ..motion import FPS
from ..request import HARD

MET_CM, MET_DEG = 0.1, 0.1  # a hard constraint that is no farther off than this is met


def report(request, course, motions, poses, feet):
    """A JSON-able dict about motions in their Poses.

    Lengths in the units of the request's shared frame (metres for a body of size 1), as cm.
    """
    residuals = collect.residuals(request, poses, [p.key_frames for p in course.people])
    for entry, (*_, weight) in zip(residuals, collect.items(request), strict=True):
        entry["hard"] = bool(weight == HARD)  # a NumPy number compares to a NumPy truth
    flat = poses.places if request.ground is None else over_ground(request.ground, poses.places)
    people = [_person(c, p, motions[i], flat[i], feet[i], i, residuals)
              for i, (c, p) in enumerate(zip(request.characters, course.people, strict=True))]  # fmt: skip
    out = {"characters": people, "constraints": residuals, "relaxed": [_gave_way(r) for r in residuals if _missed(r)]}
    if len(motions) == 2:
        out["deepest_penetration_cm"] = round(100 * float(penetration(poses, request.contacts).max()), 3)
    return out


def _person(character, person, motion, places, feet, number, residuals):
    rest = character.body.foot_heights[1]
    skating = gmd_foot_skating_ratio(places, FPS, rest)
    entry = {"name": character.name, "given": character.given, "foot_skating_ratio": round(skating, 4)}
    if character.given:
        return entry
    if feet is not None:
        entry["feet"] = feet
    if person.target is not None and person.waypoints is None:
        off = path_residual(motion.root[:, :2], person.target)
        entry["path_mean_cm"], entry["path_worst_cm"] = 100 * float(off.mean()), 100 * float(off.max())
        entry["path_bent_cm"] = [round(100 * float(b), 2) for b in person.bends]
    mine = [r for r in residuals if r["field"].startswith(f"characters[{number}].keys[")]
    if mine:
        entry["key_error_cm"] = max(r.get("worst_cm", 0.0) for r in mine)
        entry["key_error_deg"] = max(r.get("worst_deg", 0.0) for r in mine)
    return entry


def _missed(residual):
    return residual.get("hard", False) and (
        residual.get("worst_cm", 0.0) > MET_CM or residual.get("worst_deg", 0.0) > MET_DEG
    )


def _gave_way(residual):
    parts = []
    if residual.get("worst_cm", 0.0) > MET_CM:
        parts.append(f"{residual['worst_cm']:.1f} cm")
    if residual.get("worst_deg", 0.0) > MET_DEG:
        parts.append(f"{residual['worst_deg']:.1f} degrees")
    return f"{residual['field']} is missed by up to {' and '.join(parts)}: out of reach, or against another constraint"


def unknown_words(request, vocabulary):
    """Words asked for that the weights do not know, in order; `vocabulary`: the tags they were trained on."""
    return list(dict.fromkeys(w for said in request.words for w in words.unknown(said.text, vocabulary)))
