"""Generates the leaders of examples/: python -m tools.example_leaders --data FOLDER

They are our own model's answers to recorded followers that training never saw, so that the demo has leaders to react to
where there is no recorded motion. No recorded frame is in them.
"""

import argparse
from pathlib import Path

import numpy as np

from blender_motiondiff.core.denoiser import onnx_backend
from blender_motiondiff.core.diffusion.generate import generate
from blender_motiondiff.core.files import bvh
from blender_motiondiff.core.motion import FPS, resample
from blender_motiondiff.core.request import Character, Request
from blender_motiondiff.core.skeleton import average_body
from training.dataset import load_clips

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
# File -> clip, seconds at which it starts: of every fourth second, those whose leader's feet slide least.
FOLLOWERS = {"leader_a": ("061_03", 16.0), "leader_b": ("061_14", 12.0)}
SECONDS = 7.0


def leader_for(clip, start):
    """Our model's leader for a stretch of a recorded follower."""
    times = start + np.arange(int(SECONDS * FPS) + 1) / FPS
    follower = resample(clip.motion, times)
    people = (Character("Follower", follower.body, motion=follower), Character("Leader", average_body()))
    return generate(Request(people, SECONDS), onnx_backend.load())[0].motions[1]


def main():
    """Writes the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    args = parser.parse_args()
    clips = load_clips(args.data, names={clip for clip, _ in FOLLOWERS.values()})
    for name, (clip, start) in FOLLOWERS.items():
        bvh.write(EXAMPLES / f"{name}.bvh", leader_for(clips[clip], start))
        print(EXAMPLES / f"{name}.bvh")


if __name__ == "__main__":
    main()
