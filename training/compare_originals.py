"""The same motion by several ways in: python -m training.compare_originals --data FOLDER [--dataset FILE.npz]

Unpacks originals.tar.gz of the data folder into a temporary folder and prints, for each source file, the largest
difference in the place of any joint of the canonical skeleton from the same clip in the shards. With --dataset it
compares the windows that training cuts from a packed dataset with those from the shards instead.
"""

import argparse
import json
import os
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np

from blender_motiondiff.core.motion import FPS, forward_kinematics, positions

from .augment import SPEEDS, cut, usable_starts
from .dataset import load_clips, read_index
from .folders import ENDINGS, FASTEST, read_motion
from .skeletons import ground_height

LEAD = 9  # frames that the shards may have left out at the start: poses that a conversion put there


def difference(path, row, clip, metres):
    """(largest distance in metres of a joint between a source file and its clip, frames compared, frames left out)."""
    motion, _, _ = read_motion(path, metres, FASTEST)  # every frame of the file
    places, wanted = positions(motion), positions(clip.motion)
    step = max(1, round(float(row["fps_source"]) / float(row["fps"])))
    best = (np.inf, 0, 0)
    for first in range(LEAD):
        found = places[first::step][: len(wanted)]
        if len(wanted) - len(found) > 1:
            break
        both, good = wanted[: len(found)], clip.good[: len(found)]
        found = found - np.array([0.0, 0.0, ground_height(found[good], motion.body)])
        both = both - np.array([0.0, 0.0, ground_height(both[good], clip.motion.body)])
        best = min(best, (float(np.linalg.norm(found - both, axis=-1).max()), len(found), first))
    return best


def compare(data, report=print):
    """Path of each source file -> what `difference` says of it. Raises OSError without the archive."""
    rows = read_index(data)
    skeletons = json.loads((Path(data) / "shards" / "skeletons.json").read_text())
    by_file = {Path(row["source_path"]).name: name for name, row in rows.items()}
    out = {}
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(Path(data) / "originals.tar.gz") as archive:
            archive.extractall(folder, filter="data")
        files = sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() in ENDINGS)
        clips = load_clips(data, {by_file[p.name] for p in files if p.name in by_file})
        for path in files:
            name = by_file.get(path.name)
            if name not in clips:
                report(f"{path.name}: no clip of the shards comes from it")
                continue
            metres = skeletons[rows[name]["skeleton"]]["metres_per_unit"]
            out[path.name] = worst, frames, first = difference(path, rows[name], clips[name], metres)
            report(f"{path.name:24} {name:20} {frames:5} frames from {first}: {1000 * worst:7.3f} mm")
    return out


def compare_windows(data, dataset, speed, seed=0, frames=48):
    """(mean, largest distance of a joint in metres, share of contacts that differ) of a window a clip, both ways."""
    packed = load_clips(dataset)
    clips = load_clips(data, set(packed))
    rng, far, differ = np.random.default_rng(seed), [], []
    for name, clip in clips.items():
        other, rate = packed[name], clip.motion.fps / FPS
        starts = usable_starts(other.good, int(np.ceil(frames * speed)) + 1)
        if len(starts):
            start = int(rng.choice(starts))
            windows = [cut(c, int(start * r), frames, speed) for c, r in ((clip, rate), (other, 1.0))]
            places = [forward_kinematics(root, turns, clip.motion.body.offsets)[0] for root, turns, _ in windows]
            far.append(np.linalg.norm(places[0] - places[1], axis=-1))
            differ.append(windows[0][2] != windows[1][2])
    return float(np.mean(far)), float(np.max(far)), float(np.mean(differ))


def main():
    """Prints a line a file, and the worst of all; or what windows differ by at three speeds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("MOTIONDIFF_DATA"))
    parser.add_argument("--dataset", type=Path, metavar="FILE.npz", help="compare its windows with the shards'")
    args = parser.parse_args()
    if args.data is None or not (Path(args.data) / "originals.tar.gz").exists():
        sys.exit("No recordings to compare with: name the motion data's folder by --data.")
    if args.dataset is not None:
        for speed in (1.0, *SPEEDS):
            mean, most, contacts = compare_windows(args.data, args.dataset, speed)
            print(
                f"speed {speed}: joints {1000 * mean:.3f} mm apart, at most {1000 * most:.2f}; {contacts:.2%} contacts"
            )
        return
    found = compare(args.data)
    name = max(found, key=lambda n: found[n][0])
    print(f"{len(found)} files; the largest difference is {1000 * found[name][0]:.3f} mm, in {name}")


if __name__ == "__main__":
    main()
