"""A critic that tells recorded motion from made motion by a second of it: what errors against one recording miss.

It sees joints relative to their pelvis, their velocities and accelerations, in each frame's own heading, and the
contacts; never the place, so that it judges how somebody moves and not where.
"""

import torch
from torch import nn

from blender_motiondiff.core.motion import FPS
from blender_motiondiff.core.skeleton import COUNT

CHANNELS = 9 * COUNT + 4
TYPICAL = (0.35, 1.0, 8.0)  # metres, m/s, m/s^2: what joints, velocities and accelerations are divided by
SMOOTHNESS = 1.0  # weight of the penalty on the critic's slope at recorded motion (R1, Mescheder et al. 2018)


def turned(vectors, heading):
    """Vectors `(N, T, K, 3)` turned about the vertical axis by -`heading (N, T)`."""
    cos, sin = heading.cos()[..., None], heading.sin()[..., None]
    x, y = vectors[..., 0], vectors[..., 1]
    return torch.stack([cos * x + sin * y, cos * y - sin * x, vectors[..., 2]], -1)


def seen(world, heading, contacts):
    """What the critic sees `(N, CHANNELS, T - 2)` of joints `(N, T, 22, 3)` in the world and contacts `(N, T, 4)`."""
    pelvis = torch.cat([world[..., :1, :2], torch.zeros_like(world[..., :1, 2:])], -1)
    speed = torch.diff(world, dim=1) * FPS
    change = torch.diff(speed, dim=1) * FPS
    rows = zip((world - pelvis, speed, change), TYPICAL, strict=True)
    joined = [(turned(v[:, : change.shape[1]], heading[:, : change.shape[1]]) / s).flatten(2) for v, s in rows]
    return torch.cat([*joined, contacts[:, : change.shape[1]]], -1).transpose(1, 2)


class Critic(nn.Module):
    """Convolutions over time, one opinion `(N, T / 4)` on every stretch of 29 frames; positive means recorded."""

    def __init__(self, width=64):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(CHANNELS, width, 5), nn.LeakyReLU(0.2),
            nn.Conv1d(width, width, 5, stride=2), nn.LeakyReLU(0.2),
            nn.Conv1d(width, width, 5, stride=2), nn.LeakyReLU(0.2),
            nn.Conv1d(width, 1, 3),
        )  # fmt: skip

    def forward(self, motion):
        return self.layers(motion)[:, 0]


def critic_loss(critic, true, fake, smooth):
    """Hinge loss of both kinds of `seen` motion; with `smooth` also R1 on the recorded."""
    if not smooth:
        return torch.relu(1 - critic(true)).mean() + torch.relu(1 + critic(fake.detach())).mean()
    true = true.detach().requires_grad_()
    opinion = critic(true)
    (slope,) = torch.autograd.grad(opinion.mean(-1).sum(), true, create_graph=True)
    hinge = torch.relu(1 - opinion).mean() + torch.relu(1 + critic(fake.detach())).mean()
    return hinge + SMOOTHNESS * slope.pow(2).sum((1, 2)).mean()


def convincing(critic, fake):
    """The loss of whoever makes `fake`: lower the more the critic takes it for recorded."""
    return -critic(fake).mean()
