"""The ablation of emphasis projection (GMD, section 4.2): short trainings alike but for the emphasis on the pelvis.

    python -m benchmarks.emphasis DATA [--steps 150] [--out build/bench/emphasis]

Each training starts from the same numbers and sees the same batches; the table holds validation at one
step (training/validate.py). Needs PyTorch and the motion data.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

EMPHASES = (0, 1, 2, 5, 10)  # 0: no mix at all; the others are GMD's
FIGURES = ("path_cm", "path_slip", "keys_cm", "reaction_cm")


def trained(data, folder, emphasis, steps, tables):
    """The last validation of one training."""
    folder.mkdir(parents=True, exist_ok=True)
    if tables is not None:
        shutil.copy(tables, folder / "tables.npz")
    command = [sys.executable, "-m", "training.train", "--data", data, "--out", folder, "--steps", str(steps)]
    done = subprocess.run([*command, "--emphasis", str(emphasis)], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads([line for line in done.stdout.splitlines() if line.startswith("{")][-1])


def main():
    """Trains, prints the table and writes emphasis.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--out", type=Path, default=Path("build/bench/emphasis"))
    parser.add_argument("--only", type=float, nargs="*", help="some of the emphases")
    args = parser.parse_args()
    found, tables = {}, None
    print("emphasis".ljust(10) + "step".rjust(8) + "".join(name.rjust(13) for name in FIGURES))
    for emphasis in args.only or EMPHASES:
        folder = args.out / f"c{emphasis:g}"
        found[f"{emphasis:g}"] = row = trained(args.data, folder, emphasis, args.steps, tables)
        tables = tables or folder / "tables.npz"
        print(f"{emphasis:<10g}{row['step']:8}" + "".join(f"{row[name]:13.2f}" for name in FIGURES), flush=True)
    (args.out / "emphasis.json").write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
