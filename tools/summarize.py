"""Mean and standard deviation of several test runs.

    python tools/summarize.py "ViLD=work_dirs/vild_s*/test" "text=work_dirs/text_s*/test"

prints a Markdown table, a row for each NAME=FOLDERS (a glob of folders with a metrics.json).
"""

from __future__ import annotations

import argparse
import glob
import json
from pathlib import Path
from statistics import mean, stdev

from ovdistill.errors import UserError, run_tool

KEYS = (
    *("bbox/AP_novel", "bbox/AP_base", "bbox/AP50_novel", "bbox/AP50_base", "bbox/HM50"),
    *("segm/AP_novel", "segm/AP_base", "proposal/AR100_novel"),
)


def read_runs(pattern: str) -> list[dict[str, float]]:
    """The metrics of every folder that a glob names."""
    paths = [Path(folder) / "metrics.json" for folder in sorted(glob.glob(pattern))]
    runs = [json.loads(path.read_text()) for path in paths if path.is_file()]
    if not runs:
        raise UserError(
            f"no metrics.json in {pattern}; make one with `python tools/test.py CONFIG CHECKPOINT "
            "-o FOLDER`."
        )
    return runs


def cell(values: list[float]) -> str:
    """Mean +- sample standard deviation, in percent."""
    return f"{mean(values):.1f}" + (f" ± {stdev(values):.1f}" if len(values) > 1 else "")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", nargs="+", metavar="NAME=FOLDERS")
    parser.add_argument("--keys", nargs="+", default=KEYS, help="figures, a column each")
    args = parser.parse_args()
    print("| | runs | " + " | ".join(args.keys) + " |")
    print("|---" * (len(args.keys) + 2) + "|")
    for row in args.rows:
        name, equals, pattern = row.rpartition("=")
        if not equals:
            raise UserError(f"got {row!r}; expected NAME=FOLDERS.")
        runs = read_runs(pattern)
        missing = [key for key in args.keys if key not in runs[0]]
        if missing:
            raise UserError(f"{pattern} has no {missing[0]}; it has {', '.join(runs[0])}.")
        cells = [cell([run[key] for run in runs]) for key in args.keys]
        print(f"| {name} | {len(runs)} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    run_tool(main)
