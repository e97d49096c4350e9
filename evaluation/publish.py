"""A report's figures into the texts that show them: python -m evaluation.publish build/evaluate/report.json

Writes docs/evaluation/report.json (the report without what each machine took), and puts the tables made of it between
the markers in README.md and in the weights' card. The texts' figures are those of the stored report: a test holds it.
"""

import argparse
import json
from pathlib import Path

from blender_motiondiff.core.denoiser.weights import BUNDLED
from blender_motiondiff.core.files.atomic import write_text

ROOT = Path(__file__).parents[1]
STORED = ROOT / "docs" / "evaluation" / "report.json"
TEXTS = (ROOT / "README.md", BUNDLED / "card.md")
BEGIN, END = "<!-- evaluation -->", "<!-- /evaluation -->"
# What is shown of every task: (task, metric, its name in the table, digits).
SHOWN = (
    ("path", "path_error_cm", "path: error of the smoothed pelvis, cm", 2),
    ("path", "foot_skating_ratio", "path: foot skating", 3),
    ("path", "contact_slip_cm_s", "path: slip of standing feet, cm/s", 2),
    ("path_sparse", "way_error_cm", "5 waypoints: off the clip's own way, cm", 2),
    ("keys", "joint_error_m", "between keys: joint error, m", 3),
    ("keys", "contact_slip_cm_s", "between keys: slip of standing feet, cm/s", 2),
    ("partial", "pin_error_cm", "partial keys: off the pins, cm", 2),
    ("partial", "joint_error_m", "partial keys: joint error, m", 3),
    ("reaction", "joint_error_m", "reaction: joint error of the first take, m", 3),
    ("reaction", "joint_error_best8_m", "reaction: of the nearest of 8 takes, m", 3),
    ("reaction", "take_spread_m", "reaction: between takes, m", 3),
    ("reaction", "root_error_m", "reaction: off the recorded place, m", 3),
    ("reaction", "facing_error_deg", "reaction: off the recorded facing, degrees", 1),
    ("reaction", "hands_held_share", "reaction: share of frames with hands held", 3),
    ("reaction", "feet_ahead_cm", "reaction: feet ahead of the pelvis, cm", 1),
    ("reaction", "tipping_share", "reaction: share of frames tipping over the feet", 3),
    ("partial", "tipping_share", "partial keys: the same", 3),
    ("path", "legs_through_share", "path: share of frames with legs through each other", 3),
    ("path", "hands_inside_share", "path: share of frames with a hand in the own body", 3),
    ("reaction", "legs_through_share", "reaction: share of frames with legs through each other", 3),
    ("reaction", "foot_skating_ratio", "reaction: foot skating", 3),
    ("reaction", "jerk_ratio", "reaction: jerk, times the recording's", 2),
    ("reaction", "jerk_below_8hz_ratio", "reaction: the same below 8 Hz", 2),
    ("free", "tag_agreement", "words alone: class recognised", 2),
    ("free", "frechet_distance", "words alone: Fréchet distance", 2),
)
BASELINES = {"keys": "baseline_spline", "reaction": "baseline_pose_neighbours"}


def stored():
    """The report that the texts show."""
    return json.loads(STORED.read_text())


def tables(report):
    """The Markdown between the markers."""
    return "\n".join([*_floors(report), "", *_figures(report), "", *_kinds(report)])


def _floors(report):
    steps = report["floors"][0]["steps"]
    yield f"| {steps} steps, validation trials | measured | floor | aim | |"
    yield "| --- | --- | --- | --- | --- |"
    for row in report["floors"]:
        better = "at least" if row["better"] == "more" else "at most"
        verdict = "aim met" if row["aim_met"] else "floor met" if row["met"] else "not reached"
        where = f" ({row['where']})" if row["where"] else ""
        shown = "not measured" if row["measured"] is None else f"{row['measured']:.2f}"
        yield f"| {row['name']}{where} | {shown} | {better} {row['floor']:g} | {row['aim']:g} | {verdict} |"


def _figures(report):
    results = report["results"]
    steps = [s for s in ("1", str(report["floors"][0]["steps"]), "8", "50") if s in results]
    middle = steps[1] if len(steps) > 1 else steps[0]
    yield f"| | raw, {middle} steps | {' | '.join(f'final, {s}' for s in steps)} | recorded | baseline |"
    yield "| --- " * (4 + len(steps)) + "|"
    for task, metric, name, digits in SHOWN:
        cells = [(middle, "raw"), *((s, "final") for s in steps), (middle, "real"), (middle, BASELINES.get(task, ""))]
        values = [results[s].get(task, {}).get(variant, {}).get(metric) for s, variant in cells]
        yield f"| {name} | {' | '.join('' if v is None else f'{v:.{digits}f}' for v in values)} |"


def _kinds(report):
    found = report["kinds"][str(report["floors"][0]["steps"])]["keys"]
    yield "| between keys, joint error by kind, m | windows | final | spline | lower by |"
    yield "| --- | --- | --- | --- | --- |"
    for kind, row in sorted(found.items(), key=lambda item: item[1]["final"] / item[1]["baseline"]):
        lower = 1 - row["final"] / row["baseline"]
        yield f"| {kind} | {row['windows']} | {row['final']:.3f} | {row['baseline']:.3f} | {100 * lower:.0f} % |"


def between(text, inside):
    """`text` with what lies between the markers replaced. Raises ValueError where there are none."""
    head, mark, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not mark or not end:
        raise ValueError(f"The text has no {BEGIN} ... {END}. Put the markers where the tables belong.")
    return f"{head}{BEGIN}\n{inside}\n{END}{tail}"


def main():
    """Stores the report and renews the texts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("report", type=Path)
    report = json.loads(parser.parse_args().report.read_text())
    report.pop("seconds", None)
    report["data"]["folder"] = "the motion data"
    STORED.parent.mkdir(parents=True, exist_ok=True)
    write_text(STORED, json.dumps(rounded(report), indent=1) + "\n")
    for path in TEXTS:
        write_text(path, between(path.read_text(), tables(stored())))


def rounded(value):
    """The same with numbers of 5 significant digits."""
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main()
