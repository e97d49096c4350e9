"""Figures of many windows as one: means, intervals over trials and takes, the worst window."""

import numpy as np

ROUNDS = 500  # resamples of the bootstrap
COVERED = (2.5, 97.5)  # percent
# Figures that are good near something, not when small: what the recording has, or 1.
BESIDE_REAL = (
    "contact_share", "contact_share_before", "hands_held_share", "distance_m", "touching_share", "foot_lowest_cm",
)  # fmt: skip
BESIDE_ONE = ("jerk_ratio", "jerk_below_8hz_ratio")
LARGE_IS_GOOD = ("take_spread_m", "tag_agreement", "diversity")


def draws(trials, seed=0):
    """Weights `[R, W]` of windows in resamples of their trials (names `[W]`): windows of a trial come together."""
    names, number = np.unique(trials, return_inverse=True)
    rng = np.random.default_rng(seed)
    return rng.multinomial(len(names), np.full(len(names), 1 / len(names)), ROUNDS)[:, number].astype(float)


def quotient(rows):
    """The mean of rows of (sums `[K]`, weights `[K]`), one a window: all sums over all weights; None without weight."""
    weight = sum(float(w.sum() / len(w)) for _, w in rows)
    return sum(float(s.sum() / len(s)) for s, _ in rows) / weight if weight > 0 else None


def interval(rows, weights, seed=0):
    """[low, high] of `quotient` over resamples: trials as in `weights [R, W]`, and takes within each window."""
    rng = np.random.default_rng(seed)
    totals = np.zeros((2, len(weights)))
    for share, (sums, own) in zip(weights.T, rows, strict=True):
        picked = rng.integers(len(sums), size=(len(weights), len(sums)))
        totals[0] += share * sums[picked].mean(1)
        totals[1] += share * own[picked].mean(1)
    sound = totals[1] > 0
    if not sound.any():
        return None
    return [float(v) for v in np.percentile(totals[0, sound] / totals[1, sound], COVERED)]


def badness(metric, value, real=None):
    """How bad a figure is: the greater the worse; `real`: the recording's, for figures that are good near it."""
    if metric in BESIDE_ONE:
        return abs(value - 1.0)
    if metric in BESIDE_REAL:
        return 0.0 if real is None else abs(value - real)
    return -value if metric in LARGE_IS_GOOD else value


def by_kind(windows, rows, metric="joint_error_m"):
    """Kind of motion (the index' class) -> (figure, how many windows), the kinds in order."""
    out = {}
    for kind in sorted({w.action for w in windows}):
        value = quotient([row[metric] for w, row in zip(windows, rows, strict=True) if w.action == kind])
        if value is not None:
            out[kind or "other"] = value, sum(w.action == kind for w in windows)
    return out


def summed_up(windows, rows, real=None):
    """(metric -> figure, metric -> {low, high, worst, windows, trials}) of one variant of a task.

    `rows`: a dict for each window, metric -> (sums `[K]`, weights `[K]`); `real`: the same of the recordings.
    """
    weights = draws([w.trial for w in windows])
    figures, about = {}, {}
    for name in rows[0]:
        own = [row[name] for row in rows]
        mean = quotient(own)
        if mean is None:
            continue
        figures[name] = mean
        each = [quotient([o]) for o in own]
        beside = [quotient([r[name]]) if name in r else None for r in real] if real else [None] * len(own)
        bad = [-np.inf if e is None else badness(name, e, b) for e, b in zip(each, beside, strict=True)]
        low, high = interval(own, weights)
        about[name] = {
            "low": low, "high": high, "worst": windows[int(np.argmax(bad))].name,
            "windows": sum(e is not None for e in each),
            "trials": len({w.trial for w, e in zip(windows, each, strict=True) if e is not None}),
        }  # fmt: skip
    return figures, about
