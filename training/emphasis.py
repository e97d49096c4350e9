"""Emphasis projection, an option of training (GMD, Karunratanakul et al. 2023, section 4.2).

A fixed random mix of all features, in which the pelvis' place counts more, ties the pose to the path: noise that is
white in the mix is correlated in the features, and the error is measured there. Row vectors: x_mixed = x A with
A = B N, N standard normal, B the emphasis on the pelvis, scaled so that the mix has the variance of the features.
"""

import torch

from blender_motiondiff.core.features import SIZE

PELVIS = 3  # the first features are its place


def matrix(emphasis, seed=0):
    """The mix `(268, 268)` for an emphasis (1, 2, 5, 10 in GMD's ablation); None for 0, which leaves features alone."""
    if not emphasis:
        return None
    mix = torch.randn(SIZE, SIZE, generator=torch.Generator().manual_seed(seed))
    mix[:PELVIS] *= emphasis
    return mix / (SIZE - PELVIS + PELVIS * emphasis**2) ** 0.5
