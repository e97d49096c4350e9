"""Generates the leaders of examples/: python -m tools.example_leaders --data FOLDER

Two are our own model's answers to recorded followers that training never saw, so that the demo has leaders to react to
where there is no recorded motion; the third is its walk along a path. No recorded frame is in them.
"""

import argparse
import pathlib

import numpy as np

from blender_motiondiff.core.denoiser import onnx_backend
from blender_motiondiff.core.diffusion.generate import generate
from blender_motiondiff.core.files import bvh
from blender_motiondiff.core.motion import FPS, resample
from blender_motiondiff.core.request import Character, Path, Request
from blender_motiondiff.core.skeleton import average_body
from training.dataset import load_clips

EXAMPLES = pathlib.Path(__file__).resolve().parents[1] / "examples"
# File -> clip, seconds at which it starts: of every fourth second, those whose leader's feet slide least.
FOLLOWERS = {"leader_a": ("061_03", 16.0), "leader_b": ("061_14", 12.0)}
SECONDS = 7.0
WALK = Path(np.linspace(0.0, 3.0, 5), np.array([[0.0, 0.0], [0.15, -0.8], [0.1, -1.6], [-0.25, -2.35], [-0.75, -3.0]]))


def leader_for(clip, start):
    """Our model's leader for a stretch of a recorded follower."""
    times = start + np.arange(int(SECONDS * FPS) + 1) / FPS
    follower = resample(clip.motion, times)
    people = (Character("Follower", follower.body, motion=follower), Character("Leader", average_body()))
    return generate(Request(people, SECONDS), onnx_backend.load())[0].motions[1]


def walker():
    """Our model's walk along WALK."""
    who = Character("Ann", average_body(), path=WALK)
    return generate(Request((who,), float(WALK.times[-1]), seed=3, steps=2), onnx_backend.load())[0].motions[0]


def main():
    """Writes the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, required=True)
    args = parser.parse_args()
    clips = load_clips(args.data, names={clip for clip, _ in FOLLOWERS.values()})
    for name, (clip, start) in FOLLOWERS.items():
        bvh.write(EXAMPLES / f"{name}.bvh", leader_for(clips[clip], start))
        print(EXAMPLES / f"{name}.bvh")
    bvh.write(EXAMPLES / "walker.bvh", walker())
    print(EXAMPLES / "walker.bvh")


if __name__ == "__main__":
    main()
