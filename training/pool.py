"""What training draws its windows from: the recorded clips, bent versions of them, and pairs composed of them."""

from dataclasses import replace

import numpy as np

from .batches import Sampler
from .bend import bent
from .compose import composed

BENDS = 2  # versions of every clip that can be bent
PAIRS = 0.5  # composed pairs a clip
# What is said of a composed pair beside what is said of its clips (core/words.py).
SAID = {
    "beside": "together", "following": "follow", "meeting": "meet", "passing": "pass", "circling": "circle together",
    "mirroring": "mirror", "sparring": "fight together", "talking": "talk together", "ignoring": "apart",
}  # fmt: skip


def training_sampler(clips, seed, bends=BENDS, pairs=PAIRS):
    """A Sampler of recorded, bent and composed windows of the clips that training may see."""
    rng = np.random.default_rng(seed)
    versions = [bent(clip, rng) for clip in clips.values() for _ in range(bends)]
    made = composed(clips, rng, round(pairs * len(clips))) if pairs else []
    couples = [tuple(replace(c, text=f"{c.text} {SAID[p.kind]}") for c in p.persons) for p in made]
    return Sampler(clips, seed, bent=[c for c in versions if c is not None], composed=couples)
