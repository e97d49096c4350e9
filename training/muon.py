"""Muon: momentum, orthogonalised by Newton-Schulz (Jordan et al. 2024), for the blocks' matrices."""

import torch


@torch.no_grad()
def orthogonalise(g, rounds=5):
    """The nearest semi-orthogonal matrix, roughly: all singular values near 1. `(m, n)`."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g / (g.norm() + 1e-7)
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    for _ in range(rounds):
        s = x @ x.T
        x = a * x + (b * s + c * s @ s) @ x
    return x.T if tall else x


class Muon(torch.optim.Optimizer):
    """For matrices only; the step's size is that of a matrix with root-mean-square 0.2."""

    def __init__(self, params, lr=1.5e-3, momentum=0.95, weight_decay=0.1):
        super().__init__(list(params), {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                buffer = self.state[p].setdefault("momentum", torch.zeros_like(p))
                buffer.lerp_(p.grad, 1 - group["momentum"])
                update = orthogonalise(torch.lerp(p.grad, buffer, group["momentum"]))
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(update, alpha=-group["lr"] * 0.2 * max(p.shape) ** 0.5)
