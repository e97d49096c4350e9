"""What the weights have to reach, and whether they do: each row from the results of an evaluation."""

from blender_motiondiff.core.request.data import STANDARD_STEPS

from . import summary

MOST_STEPS = 8  # of the standard setting
MANY = "50"  # steps that fewer ones are compared with
# Figures that describe and are not judged, or are another's twin.
UNJUDGED = (
    "contact_slip_own_cm_s", "contact_slip_forced_cm_s", "feet_ahead_cm", "foot_lowest_cm", "touching_share",
    "distance_m", "joint_error_takes_m", "turn_jolt_deg",
)  # fmt: skip
# Differences below a share of these mean nothing: a path met to 0.01 mm is not worse than one met to 0.001 mm.
SCALES = {"_cm": 0.5, "_m": 0.05, "_deg": 1.0, "_share": 0.1, "_cm_s": 0.5, "_ratio": 0.1, "_agreement": 0.1}


def standard(results):
    """The steps, as results' key, at which floors are judged: the standard setting, else the most up to MOST_STEPS."""
    few = [s for s in results if int(s) <= MOST_STEPS]
    wanted = str(STANDARD_STEPS)
    return wanted if wanted in results else max(few, key=int) if few else min(results, key=int)


def rows(results):
    """Rows of the table: name, measured, floor, aim, met, aim_met, better (more or less), where (task), steps.

    A figure that was not measured is None, and so is `met`.
    """
    steps = standard(results)
    out = _quality(results[steps])
    for few, name, floor, aim in (
        ("4", "4 steps against 50, the figure that loses most", 0.15, 0.0),
        ("1", "1 step against 50, the figure that loses most", 0.40, 0.10),
    ):
        measured, where = _lost(results, few)
        out.append(_row(name, measured, floor, aim, where=where))
    return [{**row, "steps": int(steps)} for row in out]


def _row(name, measured, floor, aim, more=False, where=""):
    """`more`: whether more is better."""

    def reached(limit):
        if measured is None:
            return None
        return bool(measured >= limit if more else measured <= limit)

    return {
        "name": name, "measured": measured, "floor": floor, "aim": aim, "met": reached(floor), "aim_met": reached(aim),
        "better": "more" if more else "less", "where": where,
    }  # fmt: skip


def _quality(at):
    """The rows that are judged at one number of steps; `at[task][variant][metric]`."""

    def of(task, variant, metric):
        return at.get(task, {}).get(variant, {}).get(metric)

    def ratio(task, variant, metric):
        value, real = of(task, variant, metric), of(task, "real", metric)
        return None if value is None or not real else value / real

    def lower(task, metric, baselines):
        own, best = of(task, "final", metric), [of(task, b, "joint_error_m") for b in baselines]
        best = [b for b in best if b is not None]
        return None if own is None or not best else 1.0 - own / min(best)

    def worst(figure):
        found = {t: v for t in at if (v := figure(t)) is not None}
        where = max(found, key=found.get, default="")
        return found.get(where), where

    def beside(metric):
        def figure(task):
            own, real = of(task, "final", metric), of(task, "real", metric)
            return None if own is None or real is None else abs(own - real)

        return figure

    slip = "contact_slip_cm_s"
    partners = [v for v in at.get("reaction", {}) if v.startswith("baseline_")]
    slips = [worst(lambda t, v=v: of(t, v, slip)) for v in ("raw", "final")]
    jerk, below = worst(beside("jerk_ratio")), worst(beside("jerk_below_8hz_ratio"))
    share = worst(beside("contact_share_before"))
    held = beside("hands_held_share")("reaction")
    skating, error = "foot_skating_ratio", "joint_error_m"
    return [
        _row("dense path, raw: mean error, cm", of("path", "raw", "path_error_cm"), 2.0, 0.5),
        _row("dense path, final: mean error, cm", of("path", "final", "path_error_cm"), 0.1, 0.1),
        _row("foot skating on paths, raw, times the real clips'", ratio("path", "raw", skating), 2.0, 1.0),
        _row("foot skating on paths, final, times the real clips'", ratio("path", "final", skating), 1.0, 0.5),
        _row("foot skating of the follower, final, times the real", ratio("reaction", "final", skating), 1.2, 1.0),
        _row("slip of a foot in contact, raw, cm/s, worst task", slips[0][0], 6.0, 2.0, where=slips[0][1]),
        _row("slip of a foot in contact, final, cm/s, worst task", slips[1][0], 1.0, 0.2, where=slips[1][1]),
        _row("share of such frames, off the real, worst task", share[0], 0.10, 0.10, where=share[1]),
        _row("between keys: lower than spline", lower("keys", error, ["baseline_spline"]), 0.25, 0.50, more=True),
        _row("reaction, first take: lower than best baseline", lower("reaction", error, partners), 0.36, 0.50, True),
        _row("reaction, best of 8: lower than best baseline",
             lower("reaction", "joint_error_best8_m", partners), 0.45, 0.60, True),
        _row("reaction: hands-held share, off the real", held, 0.15, 0.03),
        _row("penetration, mean over frames that touch, cm", of("reaction", "final", "penetration_mean_cm"), 3.0, 1.0),
        _row("jerk, off the real, worst task", jerk[0], 0.30, 0.05, where=jerk[1]),
        _row("jerk below 8 Hz, off the real, worst task", below[0], 0.30, 0.05, where=below[1]),
    ]  # fmt: skip


def _lost(results, few):
    """(greatest relative loss of a final figure at `few` steps against MANY, which one it is); None unless both ran.

    Only what got worse counts.
    """
    if few not in results or MANY not in results:
        return None, ""
    found = {}
    for task, variants in results[few].items():
        many = results[MANY][task]
        for metric, value in variants["final"].items():
            if metric not in UNJUDGED and metric in many["final"]:
                found[f"{task} {metric}"] = _loss(metric, value, many["final"][metric], many["real"].get(metric))
    where = max(found, key=found.get)
    return max(found[where], 0.0), where


def _loss(metric, few, many, real):
    worse = summary.badness(metric, few, real) - summary.badness(metric, many, real)
    scale = next((s for unit, s in sorted(SCALES.items(), key=lambda i: -len(i[0])) if metric.endswith(unit)), 0.1)
    return worse / max(abs(many), scale)
