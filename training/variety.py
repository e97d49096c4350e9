"""Takes that differ: from pure noise, the noise whose answer comes nearest is the one that is learnt from.

A squared error alone makes every noise answer with the mean of all that could follow. With the nearest of CHOICES
(the variety loss of Social GAN, Gupta et al. 2018, section 3.3; implicit maximum likelihood, Li & Malik 2018) the slow
part of the noise comes to choose among the answers. In half of the windows it is taken out, so that noise without a
slow part still gives the mean: that is the first take.
"""

import torch

from blender_motiondiff.core.denoiser.layout import PATCH

CHOICES = 3
LIKELIEST = 0.5  # share of the windows whose noise has no slow part


def quiet(noise, chosen, net, distance):
    """Takes the slow part out of the noise `(B, P, T, 268)` of the windows where `chosen (B,)` is 1."""
    b, p, t, size = noise.shape
    weights = net.near[distance]
    weights = weights / weights.sum(-1, keepdim=True)
    mean = weights @ noise.reshape(b, p, t // PATCH, PATCH, size).mean(3)
    return noise - (chosen[:, None, None, None] * mean).repeat_interleave(PATCH, dim=2)


@torch.no_grad()
def nearest(net, batch, distance, generator, weights):
    """Noise `(B, P, T, 268)` of each window whose one-step answer is the nearest of CHOICES to the recorded one."""
    free = 1 - batch.mask
    shape = batch.target.shape
    device = batch.target.device
    likeliest = (torch.rand(len(batch.target), generator=generator) < LIKELIEST).float().to(device)
    level = torch.zeros_like(likeliest)
    best, least = None, None
    net.eval()
    for _ in range(CHOICES):
        noise = quiet(torch.randn(shape, generator=generator).to(device), likeliest, net, distance)
        answer = net(noise * free, batch.given, free, level, batch.present, distance, shape[1] == 2)
        error = (((answer - batch.target) * weights) ** 2 * free).flatten(1).sum(1)
        if best is None:
            best, least = noise, error
        else:
            better = error < least
            best = torch.where(better[:, None, None, None], noise, best)
            least = torch.where(better, error, least)
    net.train()
    return best
