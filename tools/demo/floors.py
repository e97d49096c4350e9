"""What this version must reach: the floors, each a figure of the report, a bound, and why."""

from dataclasses import dataclass

# Of recorded clips, by python -m evaluation.real_clips: the foot skating ratio of all single clips (of the walks among
# them it is 0.153) and of the salsa, and the contact share of the walks and of the salsa.
REAL_SINGLES, REAL_SALSA = 0.099, 0.154
REAL_SHARE = {"path": 0.46, "reaction": 0.56}


@dataclass(frozen=True)
class Floor:
    """`figure`: where it stands in the report, dotted. `kind`: how it is compared with `bound`."""

    figure: str
    kind: str  # "at most", "at least", "below", "above"
    bound: float | str  # a number, or the dotted name of another figure
    factor: float = 1.0  # of another figure


FLOORS = (
    Floor("path.mean_cm", "at most", 3.0),
    Floor("path.worst_cm", "at most", 10.0),
    Floor("path.key_error_cm", "at most", 5.0),
    Floor("path.contact_slip_cm_s", "at most", 2.0),
    Floor("path.foot_skating_ratio", "at most", REAL_SINGLES),
    Floor("path.foot_skating_ratio_before_cleanup", "below",
          "controls.no_network.path.foot_skating_ratio_before_cleanup", 0.5),
    Floor("path.contact_share_off", "at most", 0.10),
    Floor("path.bone_length_change_mm", "at most", 1.0),
    Floor("path.joint_limit_share", "at most", 0.01),
    Floor("path.knee_backwards_deg", "at most", 5.0),
    Floor("reaction.joint_error_m", "at most", 0.35),
    Floor("reaction.joint_error_m", "below", "controls.no_network.reaction.joint_error_m"),
    Floor("reaction.joint_error_m", "below", "controls.random_weights.reaction.joint_error_m"),
    Floor("reaction.joint_error_m", "below", "controls.mirrored_leader.reaction.joint_error_m"),
    Floor("reaction.contact_slip_cm_s", "at most", 2.0),
    Floor("reaction.foot_skating_ratio", "at most", REAL_SALSA),
    Floor("reaction.contact_share_off", "at most", 0.10),
    Floor("reaction.root_distance_min_m", "at least", 0.2),
    Floor("reaction.root_distance_max_m", "at most", 2.6),
    Floor("reaction.facing_share", "at least", 0.7),
    Floor("reaction.bone_length_change_mm", "at most", 1.0),
    Floor("reaction.joint_limit_share", "at most", 0.01),
    Floor("reaction.knee_backwards_deg", "at most", 5.0),
    Floor("reaction.leader_moved_mm", "at most", 1.0),
    Floor("controls.no_keys.path.key_error_cm", "above", 15.0),
)  # fmt: skip
COMPARE = {
    "at most": lambda value, bound: value <= bound, "at least": lambda value, bound: value >= bound,
    "below": lambda value, bound: value < bound, "above": lambda value, bound: value > bound,
}  # fmt: skip


def look_up(report, name):
    """A figure by its dotted name; None where the report has none."""
    for part in name.split("."):
        if not isinstance(report, dict) or part not in report:
            return None
        report = report[part]
    return report


def check(report):
    """One row a floor: figure, value, comparison, bound, and whether it is met (None: not known here)."""
    rows = []
    for floor in FLOORS:
        value = look_up(report, floor.figure)
        bound = look_up(report, floor.bound) if isinstance(floor.bound, str) else floor.bound
        if bound is not None:
            bound *= floor.factor
        known = value is not None and bound is not None
        met = bool(COMPARE[floor.kind](value, bound)) if known else None
        rows.append({"figure": floor.figure, "value": value, "kind": floor.kind, "bound": bound,
                     "against": floor.bound if isinstance(floor.bound, str) else None, "met": met})  # fmt: skip
    return [*rows, random_row(report)]


def random_row(report):
    """Random weights must miss at least one floor of quality in each task."""
    control = look_up(report, "controls.random_weights")
    missed = None
    if control:
        failed = {row["figure"].split(".")[0] for row in check_known(control) if not row["met"]}
        missed = failed >= set(control)
    return {"figure": "controls.random_weights", "value": None, "kind": "misses floors in each task", "bound": None,
            "against": None, "met": missed}  # fmt: skip


def check_known(report):
    """The rows of floors with a number for a bound whose figure is known."""
    out = []
    for floor in FLOORS:
        value = look_up(report, floor.figure)
        if value is not None and not isinstance(floor.bound, str):
            out.append({"figure": floor.figure, "met": bool(COMPARE[floor.kind](value, floor.bound))})
    return out


def as_lines(rows):
    """The rows as a table to print."""
    marks = {True: "ok  ", False: "MISS", None: "  - "}

    def number(value):
        return "not known" if value is None else f"{value:.3f}"

    lines = []
    for row in rows:
        if row["bound"] is None and row["value"] is None:
            lines.append(f"{marks[row['met']]}  {row['figure']:42} {row['kind']}")
            continue
        against = f"  ({row['against']})" if row["against"] else ""
        lines.append(f"{marks[row['met']]}  {row['figure']:42} {number(row['value']):>10}  {row['kind']:8} "
                     f"{number(row['bound'])}{against}")  # fmt: skip
    return lines
