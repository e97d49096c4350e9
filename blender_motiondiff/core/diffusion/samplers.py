"""Samplers: plain functions from noise to a clean residual, of one shape.

    sampler(denoise, noise, steps, impose, draw, callback=None, repaint=1, jump=1, **own) -> clean

`denoise(x, level) -> x0` with `level` the square root of alpha-bar (0 pure noise, 1 clean), a float;
`impose(x0, level) -> x0` puts in what is known, at every call of the network and so in what is handed back;
`draw() -> noise` of x's shape from the takes' own streams; `callback(call, calls)` may raise to stop. `noise` and
what is handed back have one shape and one dtype. `steps` is any whole number from 1; the noise levels are spaced
evenly over the schedule. Every sampler calls the network `calls(steps, repaint, jump)` times.
"""

import math

import numpy as np

from .schedule import STEPS, alpha_bar, sampling_steps

REFINE_STEPS = 2  # consistency steps at the end of the mixed mode
REFINE_FROM = 0.4  # share of the schedule's steps from which they refine: alpha-bar is 0.65 there


def ddpm(denoise, noise, steps, impose, draw, callback=None, repaint=1, jump=1):
    """DDPM: samples of the posterior q(x_then | x_now, x0) (Ho et al. 2020, equations 6 and 7)."""

    def advance(i, x, clean, now, then):
        kept = now / then  # the share of variance that the noising from `then` to `now` keeps
        of_clean, of_x = math.sqrt(then) * (1 - kept) / (1 - now), math.sqrt(kept) * (1 - then) / (1 - now)
        deviation = math.sqrt((1 - then) / (1 - now) * (1 - kept))
        return of_clean * clean + of_x * x + deviation * draw()

    return _walk(denoise, noise, even_times(steps), impose, draw, callback, repaint, jump, advance)


def ddim(denoise, noise, steps, impose, draw, callback=None, repaint=1, jump=1, eta=0.0):
    """DDIM (Song et al. 2021, equations 12 and 16): `eta` 0 is deterministic given `noise`, 1 is DDPM."""

    def advance(i, x, clean, now, then):
        return _implicit_step(x, clean, now, then, eta, draw)

    return _walk(denoise, noise, even_times(steps), impose, draw, callback, repaint, jump, advance)


def lcm(denoise, noise, steps, impose, draw, callback=None, repaint=1, jump=1):
    """Multi-step consistency sampling, for distilled weights (Song et al. 2023, algorithm 1; Luo et al. 2023, LCM).

    Every estimate is noised afresh to the next level; ProjFlow (2026) finds the same renoising best after a projection.
    """

    def advance(i, x, clean, now, then):
        return _noised(clean, then, draw)

    return _walk(denoise, noise, even_times(steps), impose, draw, callback, repaint, jump, advance)


def mixed(
    denoise, noise, steps, impose, draw, callback=None, repaint=1, jump=1,
    refine=None, refine_steps=REFINE_STEPS, refine_from=REFINE_FROM, eta=0.0,
):  # fmt: skip
    """Diffusion first (DDIM), then a few consistency steps from a lower noise level on, perhaps by another denoiser.

    `refine`: that denoiser (None: the same); it makes the last `refine_steps` of the `steps`, at most steps - 1, from
    `refine_from` (share of the schedule) on.
    """
    late = min(refine_steps, steps - 1)
    times = mixed_times(steps, late, refine_from)

    def estimate(x, level, i):
        return (denoise if refine is None or i < steps - late else refine)(x, level)

    def advance(i, x, clean, now, then):
        if i < steps - late:
            return _implicit_step(x, clean, now, then, eta, draw)
        return _noised(clean, then, draw)

    return _walk(estimate, noise, times, impose, draw, callback, repaint, jump, advance, numbered=True)


SAMPLERS = {"ddim": ddim, "ddpm": ddpm, "lcm": lcm, "mixed": mixed}


# --- the levels and the order in which they are visited ---------------------------------------------------------------


def even_times(steps):
    """Steps of the schedule `[steps + 1]` from pure noise to 0."""
    return np.append(sampling_steps(steps), 0.0)


def mixed_times(steps, late, refine_from):
    """The same for `mixed`: steps - late down to `refine_from`, then `late` down to 0."""
    if not late:
        return even_times(steps)
    turn = refine_from * STEPS
    return np.append(np.linspace(STEPS, turn, steps - late, endpoint=False), np.linspace(turn, 0.0, late + 1))


def moves(steps, repaint=1, jump=1):
    """Order of the moves between levels 0 .. steps (`steps` is clean): (from, to) pairs; down calls the network.

    RePaint (Lugmayr et al. 2022, section 4.2): whenever a level lies a multiple of `jump` above the clean one, go back
    up by `jump` and come down again, `repaint` passes in all. The topmost `jump` steps are passed once: going back to
    pure noise would only begin anew.
    """
    left = {steps - j: repaint - 1 for j in range(0, steps - jump, jump)}
    order, at = [], 0
    while at < steps:
        order.append((at, at + 1))
        at += 1
        if left.get(at, 0):
            left[at] -= 1
            order.append((at, at - jump))
            at -= jump
            # What lies above has been resampled in this place already, so that passes add up and don't multiply.
    return order


def calls(steps, repaint=1, jump=1):
    """How often any sampler calls the network: steps + (repaint - 1) * jump * (number of levels gone back from)."""
    return steps + (repaint - 1) * jump * len(range(0, steps - jump, jump))


def _walk(denoise, x, times, impose, draw, callback, repaint, jump, advance, numbered=False):
    """Runs the moves: x0 = impose(denoise(x)), x = advance(...) down; forward noising (equation 2 of DDPM) up."""
    shares = [float(a) for a in alpha_bar(times)]
    steps = len(shares) - 1
    total, done, clean = calls(steps, repaint, jump), 0, None
    for here, there in moves(steps, repaint, jump):
        now, then = shares[here], shares[there]
        if there < here:
            x = math.sqrt(then / now) * x + math.sqrt(1 - then / now) * draw()
            continue
        level = math.sqrt(now)
        clean = impose(denoise(x, level, here) if numbered else denoise(x, level), level)
        x = clean if there == steps else advance(here, x, clean, now, then)
        done += 1
        if callback is not None:
            callback(done, total)
    return clean


def _implicit_step(x, clean, now, then, eta, draw):
    variance = eta**2 * (1 - then) / (1 - now) * (1 - now / then)
    direction = (x - math.sqrt(now) * clean) / math.sqrt(1 - now)
    out = math.sqrt(then) * clean + math.sqrt(max(1 - then - variance, 0.0)) * direction
    return out if eta == 0 else out + math.sqrt(variance) * draw()


def _noised(clean, share, draw):
    return math.sqrt(share) * clean + math.sqrt(1 - share) * draw()
