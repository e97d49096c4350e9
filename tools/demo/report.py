"""report.json: everything that was measured, under the names that the floors use."""

from tools.demo import floors, steps
from tools.demo.summary import by_task, mean_of


def write(build, options, seconds):
    """Puts the parts' figures together, checks the floors, writes report.json and returns it."""
    made = steps.read_if_there(build / "work" / "make.json") or []
    controls = steps.read_if_there(build / "work" / "controls.json") or {}
    path = [row["figures"] for row in made if row["name"] == "path"]
    reactions = [row for row in made if row["name"] != "path"]
    out = {
        "leader": [{"label": row["label"], "source": row["source"]} for row in options["leaders"]],
        "path": with_share(path[0], "path") if path else {},
        "reaction": {},
        "controls": {name: by_task(rows) for name, rows in controls.items()},
        "seconds": {**seconds, "clips": {row["name"]: row["seconds"] for row in made}},
        "takes": {row["name"]: row["take"] for row in made},
        "worker_peak_mb": max((row["take"].get("worker_peak_mb", 0.0) for row in made), default=None),
    }
    if reactions:
        mean = with_share(mean_of([row["figures"] for row in reactions]), "reaction")
        out["reaction"] = {**mean, "clips": {row["name"]: row["figures"] for row in reactions}}
    out["floors"] = floors.check(out)
    steps.write(build / "report.json", out)
    return out


def with_share(row, task):
    """The figures with how far the share of frames in contact is from that of recorded clips."""
    return {**row, "contact_share_off": abs(row["contact_share"] - floors.REAL_SHARE[task])}
