"""What the measures say of recorded clips: the figures that generated ones are compared with.

    python -m evaluation.real_clips [DATA]

DATA is the folder of the motion data; without it MOTIONDIFF_DATA names it.
"""

import os
import sys
from dataclasses import replace

import numpy as np

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.cleanup.contacts import label_contacts
from blender_motiondiff.core.cleanup.foot_lock import lock_feet
from blender_motiondiff.core.cleanup.plants import runs
from blender_motiondiff.core.cleanup.skating import gmd_foot_skating_ratio
from blender_motiondiff.core.motion import FPS, positions, resample
from training.dataset import LEFT_OUT, load_clips

from . import metrics

WALKS = 0.5  # metres a second that a clip of the class "walk" must go to count as one
SHORTEST = 30  # frames at 30 a second that a clip must have to be measured


def usable(clip):
    """The longest stretch without bad frames, as a Motion at the core's rate; None where it is too short."""
    start, end = max(runs(clip.good), key=lambda span: span[1] - span[0])
    part = replace(clip.motion, root=clip.motion.root[start:end], rotations=clip.motion.rotations[start:end])
    times = np.arange(0, part.duration + 1e-9, 1 / FPS)
    return resample(part, times) if len(times) >= SHORTEST else None


def measure(motion):
    """One recorded motion in numbers, before and after cleanup."""
    places = positions(motion)
    contacts = label_contacts(places, motion.body, FPS)
    cleaned, report = lock_feet(motion, contacts)
    after, toe = positions(cleaned), motion.body.foot_heights[1]
    return {
        "skating": gmd_foot_skating_ratio(places, FPS, toe),
        "skating_cleaned": gmd_foot_skating_ratio(after, FPS, toe),
        "contact_share": metrics.contact_share(contacts),
        "slip_cm_s": 100 * metrics.contact_slip(places, contacts, FPS),
        "slip_cleaned_cm_s": 100 * metrics.contact_slip(after, contacts, FPS),
        "jerk": metrics.jerk(places, FPS),
        "jerk_ratio": metrics.jerk(after, FPS) / metrics.jerk(places, FPS),
        "moved_cm": 100 * metrics.joint_error(after, places),
        "pelvis_cm": report["pelvis_lowered_cm"],
        "limits": metrics.joint_limit_violations(motion.rotations)[0],
        "limits_cleaned": metrics.joint_limit_violations(cleaned.rotations)[0],
        "knee_deg": np.degrees(metrics.knee_hyperextension(motion.rotations)),
        "knee_cleaned_deg": np.degrees(metrics.knee_hyperextension(cleaned.rotations)),
    }


def speed(motion):
    """Mean speed over the ground, metres a second."""
    return float(np.linalg.norm(np.diff(motion.root[:, :2], axis=0), axis=1).mean() * motion.fps)


def couples(clips, motions):
    """(leader, follower) -> distances and facing of every pair whose two halves are usable."""
    out = {}
    for name, clip in clips.items():
        if name in motions and clip.partner in motions and name < clip.partner:
            a, b = clip, clips[clip.partner]
            frames, both = min(a.motion.frames, b.motion.frames), [a.motion, b.motion]
            good = a.good[:frames] & b.good[:frames]
            roots = [m.root[:frames][good] for m in both]
            headings = [rot.heading(m.rotations[:frames, 0])[good] for m in both]
            places = [positions(m)[:frames][good] for m in both]
            out[name, clip.partner] = {
                "distance": metrics.root_distance(*roots),
                "follower_faces": metrics.facing_share(headings[1], roots[1], roots[0]),
                "leader_faces": metrics.facing_share(headings[0], roots[0], roots[1]),
                "bodies": metrics.body_distance_min(*places),
            }
    return out


def main(folder):
    """Prints means over frames and clips, of single clips, of walks among them, and of the salsa; then the couples."""
    clips = {n: c for n, c in load_clips(folder).items() if n not in LEFT_OUT}
    motions = {n: m for n, c in clips.items() if (m := usable(c)) is not None}
    rows = {n: measure(m) for n, m in motions.items()}
    groups = {
        "single clips": [n for n in rows if not clips[n].partner],
        "walks": [n for n in rows if clips[n].action.startswith("walk") and speed(motions[n]) > WALKS],
        "salsa": [n for n in rows if clips[n].partner],
    }
    for group, names in groups.items():
        print(f"{group}: {len(names)}")
        frames = np.array([motions[n].frames for n in names])
        for key in rows[names[0]]:
            values = np.array([rows[n][key] for n in names])
            mean = (values * frames).sum() / frames.sum()
            print(f"  {key:18} mean {mean:8.3f}  of clips {values.mean():8.3f}  greatest {values.max():8.3f}")
    for (leader, follower), row in couples(clips, motions).items():
        low, high = row["distance"]
        print(
            f"{leader} {follower}: roots {low:.2f} to {high:.2f} m, bones {row['bodies']:.3f} m, "
            f"follower faces {row['follower_faces']:.2f}, leader faces {row['leader_faces']:.2f}"
        )


if __name__ == "__main__":
    data = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("MOTIONDIFF_DATA")
    sys.exit(main(data) if data else "No motion data: set MOTIONDIFF_DATA or name the folder.")
