"""A denoiser of InterGen's size in PyTorch with random weights: what the ratios are taken against.

Sizes after Liang et al. 2024 (InterGen, section 3.3 and its configuration): 8 blocks of width 1024 with 8 heads and
feed-forward 2048, both persons through the same weights, every block self-attention, attention to the partner and
feed-forward, each with adaptive layer norm (the partner's states have one of their own) on time and text; 262 numbers
a frame and person; 168 million parameters. Its authors sample 50 DDIM steps with classifier-free guidance (weight 3.5),
so a step is one pass over a batch of two. The text encoder is left out, which is in InterGen's favour.
"""

import math

import torch
from torch import nn

WIDTH, HEADS, FEED, BLOCKS, FEATURES = 1024, 8, 2048, 8, 262
STEPS, GUIDANCE = 50, 3.5
TRAINED_STEPS = 1000


class AdaptiveNorm(nn.Module):
    """Layer norm whose scale and shift come from the condition."""

    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH, elementwise_affine=False)
        self.project = nn.Linear(WIDTH, 2 * WIDTH)

    def forward(self, x, condition):  # (B, N, D), (B, D)
        scale, shift = self.project(nn.functional.silu(condition))[:, None].chunk(2, -1)
        return self.norm(x) * (1 + scale) + shift


class Attention(nn.Module):
    """Multi-head attention from `x` to `source`, through torch's fused kernel."""

    def __init__(self):
        super().__init__()
        self.query, self.key_value = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 2 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)

    def forward(self, x, source):
        b, n, _ = x.shape

        def split(y):
            return y.reshape(b, n, HEADS, -1).transpose(1, 2)

        k, v = (split(y) for y in self.key_value(source).chunk(2, -1))
        y = nn.functional.scaled_dot_product_attention(split(self.query(x)), k, v)
        return self.out(y.transpose(1, 2).reshape(b, n, WIDTH))


class Block(nn.Module):
    """Self-attention, attention to the partner, feed-forward."""

    def __init__(self):
        super().__init__()
        self.norms = nn.ModuleList(AdaptiveNorm() for _ in range(4))
        self.alone, self.mutual = Attention(), Attention()
        self.feed = nn.Sequential(nn.Linear(WIDTH, FEED), nn.GELU(), nn.Linear(FEED, WIDTH))

    def forward(self, x, partner, condition):
        own = self.norms[0](x, condition)
        x = x + self.alone(own, own)
        x = x + self.mutual(self.norms[1](x, condition), self.norms[2](partner, condition))
        return x + self.feed(self.norms[3](x, condition))


class InterGen(nn.Module):
    """Noisy pair `(B, N, 2 * 262)`, condition `(B, 1024)` -> clean pair."""

    def __init__(self):
        super().__init__()
        self.enter, self.leave = nn.Linear(FEATURES, WIDTH), nn.Linear(WIDTH, FEATURES)
        self.blocks = nn.ModuleList(Block() for _ in range(BLOCKS))

    def forward(self, pair, condition):
        a, b = (self.enter(x) for x in pair.chunk(2, -1))
        for block in self.blocks:
            a, b = block(a, b, condition), block(b, a, condition)
        return torch.cat([self.leave(x) for x in (a, b)], -1)


def sampler(frames, device="cpu", seed=0):
    """(a function that takes one DDIM step with guidance at 2 x `frames`, its network)."""
    torch.manual_seed(seed)
    network = InterGen().to(device).eval().requires_grad_(False)
    noise = torch.Generator().manual_seed(seed)
    conditions = torch.randn(2, WIDTH, generator=noise).to(device)  # with text, and without
    state = {"x": torch.randn(1, frames, 2 * FEATURES, generator=noise).to(device), "t": TRAINED_STEPS - 1}

    def share(t):
        return math.cos((t / TRAINED_STEPS + 0.008) / 1.008 * math.pi / 2) ** 2

    @torch.inference_mode()
    def step():
        x, t = state["x"], state["t"]
        with_text, without = network(x.expand(2, -1, -1), conditions).chunk(2)
        clean = GUIDANCE * with_text + (1 - GUIDANCE) * without
        then = max(t - TRAINED_STEPS // STEPS, 0)
        now_share, then_share = share(t), share(then)
        direction = (x - math.sqrt(now_share) * clean) / math.sqrt(1 - now_share)
        state["x"] = math.sqrt(then_share) * clean + math.sqrt(1 - then_share) * direction
        state["t"] = then if then > 0 else TRAINED_STEPS - 1
        if device != "cpu":
            state["x"].cpu()  # waits until it is there

    return step, network


def parameters(network):
    """How many numbers a network has."""
    return sum(p.numel() for p in network.parameters())
