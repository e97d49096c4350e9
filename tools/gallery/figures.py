"""How a take is told in figures: what is left of every constraint, feet, jerk."""

import re
from pathlib import Path

from blender_motiondiff.core.motion import positions
from evaluation.metrics import jerk

NONE = "Nothing was asked that leaves a residual."


def residual(entry):
    """One constraint of a report in words: `pins[0] 0.02 cm 0.00 deg`."""
    name = entry["field"].replace("characters[0].", "").replace("characters[1].", "B.")
    parts = [f"{entry[key]:.2f} {unit}" for key, unit in (("worst_cm", "cm"), ("worst_deg", "deg")) if key in entry]
    return f"{name} {' '.join(parts)}" + ("" if entry.get("hard") else " (wish)")


def residuals(report, most=6):
    """The constraints of a report, those of one list that are many told by the worst."""
    groups = {}
    for entry in report["constraints"]:
        groups.setdefault((re.sub(r"\[\d+\]$", "", entry["field"]), entry.get("hard")), []).append(entry)
    out = []
    for (name, _), group in groups.items():
        if len(group) <= 2:
            out += [residual(e) for e in group]
            continue
        worst = {k: max(e.get(k, 0.0) for e in group) for k in ("worst_cm", "worst_deg") if any(k in e for e in group)}
        out.append(residual({**worst, "field": f"{name}[0..{len(group) - 1}]", "hard": group[0].get("hard")}))
    return out[:most]


def feet_and_jerk(take):
    """Foot skating and jerk of everybody that was generated."""
    out = []
    for entry, motion in zip(take.report["characters"], take.motions, strict=True):
        if entry["given"]:
            out.append(f"{entry['name']} is given")
            continue
        rough = jerk(positions(motion), motion.fps)
        out.append(f"{entry['name']}: skating {100 * entry['foot_skating_ratio']:.1f} %, jerk {rough:.0f} m/s3")
    return out


def as_line(takes):
    """The line of figures that stands in the gallery's page."""
    report = takes[0].report
    parts = ["worst residual " + ", ".join(residuals(report)) if report["constraints"] else NONE.rstrip(".")]
    parts += [part for take in takes for part in feet_and_jerk(take)]
    if report.get("unknown_words"):
        parts.append("unknown words: " + ", ".join(report["unknown_words"]))
    if report["relaxed"]:
        parts.append("gave way: " + "; ".join(report["relaxed"]))
    return "; ".join(parts) + "."


def refresh(page, name, line):
    """The page with the `Figures:` line of a section `## name` replaced; unchanged where there is no such section."""
    section = re.compile(rf"(^## {re.escape(name)}\n(?:(?!^## ).*\n)*?Figures: ).*$", re.MULTILINE)
    return section.sub(lambda found: found.group(1) + line, page)


def write(path, name, line):
    """Puts the line of a kind into the page at `path`, where there is one."""
    path = Path(path)
    if path.exists():
        path.write_text(refresh(path.read_text("utf-8"), name, line), "utf-8")
