"""Figures of several clips as one set, and as lines to read. Knows no Blender."""

import numpy as np

WORST = ("root_distance_min_m", "body_distance_min_m", "root_distance_max_m")


def mean_of(rows):
    """One set of figures for several clips: means, but the worst of WORST (least for `_min_`, else greatest)."""
    out = {}
    for key in rows[0]:
        values = [row[key] for row in rows if row[key] is not None]
        if not values:
            out[key] = None
        elif key in WORST:
            out[key] = min(values) if "_min_" in key else max(values)
        else:
            out[key] = np.mean(values, axis=0).tolist()
    return out


def by_task(trials):
    """A control's figures: those of the path, and those of the reactions together."""
    kinds = {
        "path": [row["figures"] for row in trials if row["case"] == "path"],
        "reaction": [row["figures"] for row in trials if row["case"] != "path"],
    }
    return {kind: mean_of(rows) for kind, rows in kinds.items() if rows}


def one_line(figures):
    """The figures that say most, in a line."""
    return "   ".join(_said(figures, ("mean_cm", "worst_cm", "key_error_cm", "joint_error_m", "facing_share",
        "root_distance_min_m", "root_distance_max_m", "foot_skating_ratio_before_cleanup", "foot_skating_ratio",
        "contact_slip_cm_s")))  # fmt: skip


def control_line(figures):
    """The figures by which a control is to be seen to fail, in a shorter line."""
    return "   ".join(_said(figures, ("key_error_cm", "joint_error_m", "foot_skating_ratio_before_cleanup",
        "foot_skating_ratio", "contact_slip_cm_s")))  # fmt: skip


SAID = {
    "mean_cm": "path mean {:.1f} cm", "worst_cm": "worst {:.1f} cm", "key_error_cm": "keys {:.1f} cm",
    "joint_error_m": "joints {:.2f} m off the recorded partner's", "facing_share": "facing {:.2f}",
    "root_distance_min_m": "roots {:.2f}", "root_distance_max_m": "to {:.2f} m",
    "foot_skating_ratio_before_cleanup": "skating {:.2f}", "foot_skating_ratio": "cleaned {:.2f}",
    "contact_slip_cm_s": "slip {:.1f} cm/s",
}  # fmt: skip


def _said(figures, keys):
    return [SAID[key].format(figures[key]) for key in keys if figures.get(key) is not None]
