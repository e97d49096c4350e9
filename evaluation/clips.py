"""What is evaluated on: stretches of recorded motion that training never saw, single people and couples.

A folder is either the motion data (it has `shards`; the clips of the validation split are taken) or somebody's own:
`NAME.bvh` of one person, `NAME_a.bvh` with `NAME_b.bvh` of two in one world frame (a leads, b answers), and perhaps
`index.csv` with the columns clip, scale_to_m (metres a unit of the file), fps (where the file is wrong), description.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from blender_motiondiff.core.cleanup.plants import runs
from blender_motiondiff.core.files.recording import FileError
from blender_motiondiff.core.motion import FPS, Motion, resample
from training import folders, pack
from training.dataset import load_clips, read_index, validation
from training.skeletons import SkeletonError

FRAMES = 120  # of a window: 4 seconds
SHORTEST = 60  # frames of a clip that is taken whole because it is shorter than a window
MOST = 2  # windows of one clip, evenly spread over it, so that long clips do not count for all
MOST_OF_COUPLES = 6


@dataclass(frozen=True)
class Window:
    """A stretch of a recorded clip at the core's rate.

    `clip`: its name; `trial`: what it was recorded in, with others of the same name not independent of it. `start`:
    seconds into the clip. `motion`: the person; of a couple the one who answers `leader`, who is None for one alone.
    `action`, `description`: what the index says, "" where it says nothing; `text`: the two as what is asked for.
    """

    clip: str
    trial: str
    start: float
    motion: Motion
    leader: Motion | None = None
    action: str = ""
    description: str = ""
    text: str = ""

    @property
    def name(self):
        """The clip and where in it, for reports."""
        return f"{self.clip} at {self.start:.1f} s"


@dataclass(frozen=True)
class _Take:
    """One or two people at the source's rate: `motions` (the one who leads first), `good [F]` usable frames."""

    clip: str
    trial: str
    motions: tuple[Motion, ...]
    good: np.ndarray
    action: str = ""
    description: str = ""
    text: str = ""


def windows(folder):
    """(windows, facts about the data as a JSON-able dict) of a folder. Raises FileError."""
    folder = Path(folder)
    recorded = pack.is_packed(folder) or (folder / "shards").is_dir()
    if not recorded and not folder.is_dir():
        raise FileError(f"There is no folder {folder}. Name one with shards (the motion data) or with .bvh files.")
    takes = _recorded(folder) if recorded else _own(folder)
    out = [w for take in takes for w in _cut(take)]
    if not out:
        raise FileError(f"{folder} holds no stretch of {SHORTEST / FPS:g} s of sound motion. Add longer clips.")
    return out, _facts(folder, takes, out, recorded)


def _facts(folder, takes, cut, recorded):
    clips = {w.clip for w in cut}
    facts = {
        "folder": str(folder),
        "split": "validation clips of the motion data" if recorded else "a folder of its own",
        "clips_single": sum(len(t.motions) == 1 for t in takes),
        "clips_couple": sum(len(t.motions) == 2 for t in takes),
        "windows_single": sum(w.leader is None for w in cut),
        "windows_couple": sum(w.leader is not None for w in cut),
        "trials_single": len({w.trial for w in cut if w.leader is None}),
        "trials_couple": len({w.trial for w in cut if w.leader is not None}),
        "left_out": sorted(t.clip for t in takes if t.clip not in clips),
        "window_seconds": FRAMES / FPS,
    }
    if recorded:
        facts["same_people"] = (
            "The split is by trial: the same dancers and, for most single clips, the same people appear in training "
            "and here, in other takes."
        )
    return facts


# --- cutting ----------------------------------------------------------------------------------------------------------


def _cut(take):
    """Windows of a take: as many as fit one after another in its sound stretches, at most MOST; else a short one."""
    found, short = [], []
    fps = take.motions[0].fps
    for first, last in runs(take.good):
        times = np.arange(int((last - 1 - first) / fps * FPS + 1e-3) + 1) / FPS
        parts = [_part(m, first, last, times) for m in take.motions]
        for k in range(len(times) // FRAMES):
            found.append((first / fps + k * FRAMES / FPS, [_frames(m, k * FRAMES, (k + 1) * FRAMES) for m in parts]))
        if SHORTEST <= len(times) < FRAMES:
            short.append((first / fps, parts))
    most = MOST if len(take.motions) == 1 else MOST_OF_COUPLES
    found = found or short[:1]
    chosen = np.unique(np.linspace(0, len(found) - 1, min(len(found), most)).round().astype(int)) if found else []
    about = {"action": take.action, "description": take.description, "text": take.text}
    return [
        Window(take.clip, take.trial, float(start), people[-1], people[0] if len(people) == 2 else None, **about)
        for start, people in (found[i] for i in chosen)
    ]


def _part(motion, first, last, times):
    part = replace(motion, root=motion.root[first:last], rotations=motion.rotations[first:last])
    return replace(resample(part, times), fps=FPS)


def _frames(motion, first, last):
    return replace(motion, root=motion.root[first:last], rotations=motion.rotations[first:last])


# --- the motion data --------------------------------------------------------------------------------------------------


def _recorded(folder):
    """Takes of the clips of the validation split."""
    rows = read_index(folder)
    clips = load_clips(folder, names=validation(folder))
    out = []
    for name, clip in clips.items():
        about = {"action": clip.action, "description": rows[name]["description"], "text": clip.text}
        if not clip.partner:
            out.append(_Take(name, _trial(name), (clip.motion,), clip.good, **about))
        elif clip.partner in clips and name < clip.partner:
            other = clips[clip.partner]
            frames = min(len(clip.good), len(other.good))
            pair = tuple(_frames(c.motion, 0, frames) for c in (clip, other))
            good = clip.good[:frames] & other.good[:frames]
            out.append(_Take(clip.partner, f"{name} with {clip.partner}", pair, good, **about))
    return out


def _trial(name):
    """HDM05's cuts with neighbouring numbers are often of one recording: those of one actor and action go together."""
    return name.rpartition("_")[0] if name.startswith("hdm05") else name


# --- folders of BVH ---------------------------------------------------------------------------------------------------


def _own(folder):
    """Takes of a folder of BVH files."""
    files = {path.stem: path for path in sorted(folder.iterdir()) if path.suffix.lower() == ".bvh"}
    if not files:
        raise FileError(f"{folder} holds neither shards nor .bvh files. Name another folder.")
    rows, out = folders.read_index(folder / "index.csv"), []
    for name, path in files.items():
        stem, half = (name[:-2], name[-2:]) if name[-2:] in ("_a", "_b") else (name, "")
        other = {"_a": f"{stem}_b", "_b": f"{stem}_a"}.get(half)
        if other is not None and other not in files:
            raise FileError(f"{path} is one of two people, and {other}.bvh is missing. Add it, or rename this one.")
        if half != "_b":
            row = rows.get(stem) or rows.get(name) or {}
            out.append(_take(stem, [path] if other is None else [path, files[other]], row))
    return out


def _take(name, paths, row):
    """One or two BVH files as a take, standing on the ground. Raises FileError."""
    found = []
    scale, fps = (float(row[n]) if row.get(n) else None for n in ("scale_to_m", "fps"))
    for path in paths:
        try:
            motion, scale, _ = folders.read_motion(path, scale, fps)  # both of a couple are in one unit
            found.append(folders.on_ground(path.stem, motion))
        except SkeletonError as error:
            raise FileError(f"{path} can't be used: {error}.") from error
    a, b = found[0], found[-1]
    if a.motion.frames != b.motion.frames or abs(a.motion.fps - b.motion.fps) > 1e-3 * a.motion.fps:
        raise FileError(
            f"{paths[0]} has {a.motion.frames} frames at {a.motion.fps:g} a second, {paths[1].name} {b.motion.frames} "
            f"at {b.motion.fps:g}. Cut both to the same time, at the same rate."
        )
    action, description = row.get("action_class", ""), row.get("description", "")
    return _Take(
        name, name, tuple(c.motion for c in found), a.good & b.good, action, description,
        f"{action} {description}".strip(),
    )  # fmt: skip
