"""The denoiser in PyTorch: what is trained. `training.graph` writes the same network as an ONNX graph.

Two transformers that share their weights, one a person, joined by mutual attention as in InterGen (Liang et al. 2024,
section 3.3): every block is self-attention, mutual attention onto the partner's states, feed-forward, each with
adaptive layer norm on the diffusion time. Tokens are patches of 4 frames; attention sees 2 s to either side through a
learned bias on the relative time, so clips may be longer than those trained on.

What differs between takes enters through the slow part of the noise: from pure noise, the only input of a single step,
white noise says nothing, but its average over a second is a choice that holds for a while (training.variety).
"""

import math

import torch
from torch import nn

from ..features import SIZE
from ..reference import GIVEN
from .layout import PATCH, REACH, SLOW


class Modulation(nn.Module):
    """Scale, shift and gate of a sublayer from the time embedding (AdaLN-zero, Peebles & Xie 2023)."""

    def __init__(self, width, time_width):
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.project = nn.Linear(time_width, 3 * width)
        nn.init.zeros_(self.project.weight)
        nn.init.zeros_(self.project.bias)

    def forward(self, x, time):  # x (B, P, N, D), time (B, D_t)
        scale, shift, gate = self.project(time)[:, None, None, :].chunk(3, -1)
        return self.norm(x) * (1 + scale) + shift, 1 + gate


class Attention(nn.Module):
    """Multi-head attention over the tokens of one person, from itself or from the partner.

    `kernel` computes it, both to the same answer: "written" out (quickest on the processor in training) or "fused" in
    torch's own kernel.
    """

    kernel = "written"

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        self.bias = nn.Parameter(torch.zeros(2 * REACH + 1, heads))
        nn.init.normal_(self.out.weight, std=0.02 / math.sqrt(8))

    def forward(self, x, source, bias):  # (B, P, N, D) twice, (H, N, N)
        b, p, n, d = x.shape
        h = self.heads

        def split(y):
            return y.reshape(b * p, n, h, d // h).transpose(1, 2)  # (B P, H, N, D/H)

        q, (k, v) = split(self.query(x)), (split(y) for y in self.key_value(source).chunk(2, -1))
        if self.kernel == "fused":
            y = nn.functional.scaled_dot_product_attention(
                q, k, v, attn_mask=bias.to(q.dtype).expand(b * p, -1, -1, -1)
            )
        else:
            y = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(d // h) + bias, -1) @ v
        return self.out(y.transpose(1, 2).reshape(b, p, n, d))


class Block(nn.Module):
    """Self-attention, mutual attention, feed-forward."""

    def __init__(self, width, heads, time_width, dropout):
        super().__init__()
        self.modulate = nn.ModuleList(Modulation(width, time_width) for _ in range(3))
        self.alone = Attention(width, heads)
        self.mutual = Attention(width, heads)
        self.grow, self.shrink = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        nn.init.normal_(self.shrink.weight, std=0.02 / math.sqrt(8))
        self.dropout = dropout

    def drop(self, x):  # whole channels a window: random numbers for every token cost more than the products
        if not self.training or not self.dropout:
            return x
        keep = torch.rand(x.shape[0], x.shape[1], 1, x.shape[3], device=x.device) >= self.dropout
        return x * keep / (1 - self.dropout)

    def forward(self, x, time, biases, present):  # biases: of alone and, for a couple, of mutual
        y, gate = self.modulate[0](x, time)
        x = x + gate * self.drop(self.alone(y, y, biases[0]))
        if len(biases) == 2:
            y, gate = self.modulate[1](x, time)
            x = x + present[:, :, None, None] * gate * self.drop(self.mutual(y, y.flip(1), biases[1]))
        y, gate = self.modulate[2](x, time)
        return x + gate * self.drop(self.shrink(nn.functional.gelu(self.grow(y), approximate="tanh")))


class Denoiser(nn.Module):
    """Noisy residuals of P persons -> their clean residuals, exactly 0 where something is observed."""

    def __init__(self, width=192, layers=4, heads=6, time_width=64, dropout=0.15):
        super().__init__()
        self.config = {"width": width, "layers": layers, "heads": heads, "time_width": time_width}
        self.time = nn.Sequential(nn.Linear(32, time_width), nn.SiLU(), nn.Linear(time_width, time_width), nn.SiLU())
        self.enter_noisy = nn.Linear(PATCH * SIZE, width)
        self.enter_given = nn.Linear(PATCH * GIVEN, width)
        self.enter_slow = nn.Linear(SIZE, width, bias=False)
        nn.init.normal_(self.enter_slow.weight, std=0.01)
        self.blocks = nn.ModuleList(Block(width, heads, time_width, dropout) for _ in range(layers))
        self.last = Modulation(width, time_width)
        self.leave = nn.Linear(width, PATCH * SIZE)
        # Beyond its ends a clip goes on as it is there: with zeros its first and last frames were drawn to the base.
        self.smooth = nn.Conv1d(SIZE, SIZE, 5, padding=2, padding_mode="replicate", groups=SIZE, bias=False)
        nn.init.normal_(self.leave.weight, std=0.002)
        nn.init.zeros_(self.leave.bias)
        nn.init.zeros_(self.smooth.weight)
        self.smooth.weight.data[:, 0, 2] = 1.0
        far = torch.zeros(2 * REACH + 1, 1)
        far[[0, -1]] = -1e4  # what is REACH or more away is not seen
        self.register_buffer("far", far, persistent=False)
        near = torch.exp(-0.5 * (torch.arange(-REACH, REACH + 1) / SLOW) ** 2)
        near[[0, -1]] = 0.0
        self.register_buffer("near", near, persistent=False)

    def compute_attention(self, kernel):
        """Chooses how attention is computed (see Attention)."""
        for block in self.blocks:
            block.alone.kernel = block.mutual.kernel = kernel

    def biases(self, distance, couple):
        """Every attention's bias `(H, N, N)` on the tokens' distance, a list a block; looked up all at once."""
        n, each = len(distance), 2 if couple else 1
        of_blocks = [(b.alone, b.mutual)[:each] for b in self.blocks]
        table = torch.cat([attention.bias for pair in of_blocks for attention in pair], 1) + self.far
        rows = table.index_select(0, distance.flatten()).t().reshape(-1, self.config["heads"], n, n)
        return [[rows[each * i + k] for k in range(each)] for i in range(len(of_blocks))]

    def slow(self, noisy, distance):
        """The noisy residuals' average over about a second, a token `(B, P, N, 268)`; of variance 1 from pure noise."""
        b, p, _, _ = noisy.shape
        n = len(distance)
        weights = self.near.index_select(0, distance.flatten()).reshape(n, n)
        weights = weights / (weights**2).sum(-1, keepdim=True).sqrt()
        return weights @ (noisy.reshape(b, p, n, PATCH, SIZE).mean(3) * PATCH**0.5)

    def forward(self, noisy, given, free, level, present, distance, couple=True):
        """Clean residuals `(B, P, T, 268)`.

        `noisy (B, P, T, 268)`, `given (B, P, T, GIVEN)`, `free` (B, P, T, 268) 1 where nothing is observed,
        `level (B,)` the square root of alpha-bar, `present (B, P)` 1 where there is a partner, `distance (N, N)` from
        `layout.token_distance`. T is a multiple of PATCH. `couple` False leaves mutual attention out, as an absent
        partner does.
        """
        b, p, t, _ = noisy.shape
        n = t // PATCH
        phase = level[:, None] * (2.0 ** torch.arange(16, device=level.device))[None] * math.pi / 2
        time = self.time(torch.cat([phase.sin(), phase.cos()], -1))
        x = self.enter_given(given.reshape(b * p * n, -1))
        x = x + self.enter_slow(self.slow(noisy, distance).reshape(-1, SIZE))
        noisy = noisy * level[:, None, None, None]  # almost pure noise says nothing: it is scaled away
        x = (x + self.enter_noisy(noisy.reshape(b * p * n, -1))).reshape(b, p, n, -1)
        for block, biases in zip(self.blocks, self.biases(distance, couple), strict=True):
            x = block(x, time, biases, present)
        x, _ = self.last(x, time)
        y = self.leave(x.reshape(b * p * n, -1)).reshape(b * p, t, SIZE).transpose(1, 2)
        return self.smooth(y).transpose(1, 2).reshape(b, p, t, SIZE) * free
