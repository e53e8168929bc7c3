"""What a trained detector learns from labels of a few further classes, and what it forgets.

    python benchmarks/continue_training.py -o work_dirs/continue

Trains best_r18_shapes, continues it as each row of the table says, tests on test images, and writes
OUT/continue.json and OUT/continue.md. After an interruption, the same command goes on; --report
writes the table of what is there.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import mean
from typing import Any

from ovdistill.commands.compare.compare import CompareOptions, Comparison
from ovdistill.core.files import write_json, write_text
from ovdistill.core.markdown import markdown_table
from ovdistill.core.provenance import provenance
from ovdistill.evaluation.comparison_rows import Row, pick_rows
from ovdistill.evaluation.text_tables import mean_and_deviation

VARIANTS = Path(__file__).parents[1] / "docs/results/continue"
SHAPES = {"new": ("arrow",), "novel": ("heart", "hexagon")}  # all others are base
GROUPS = ("new", "novel", "base")
Run = dict[str, Any]


def make_rows(new_root: str) -> list[Row]:
    """Return the rows of the table; ``new_root`` is the folder of the new images."""
    before = pick_rows(["best"])[0]
    variants = {
        "plain_new": "new images, new names alone",
        "plain": "new images, all names",
        "distilled": "new images, all names, distillation",
        "replayed": "new and old images, no distillation",
    }
    configs = {name: str(VARIANTS / f"{name}_r18_shapes.py") for name in variants}
    variants["continued"] = "new and old images, distillation: continue_r18_shapes"
    configs["continued"] = "continue_r18_shapes"
    options = (f"new_root={new_root}",)
    return [before] + [
        Row(name, title, configs[name], options, starts_from="best")
        for name, title in variants.items()
    ]


def group_of(name: str) -> str:
    """Return the group of a class, by its shape."""
    shape = name.split()[-1]
    return next((group for group, shapes in SHAPES.items() if shape in shapes), "base")


def read_run(folder: Path) -> Run:
    """Return the mean AP in percent of the classes of each group, of boxes and masks."""
    classes = json.loads((folder / "per_category.json").read_text())
    return {
        f"{metric}/{group}": mean(c[metric]["AP"] for c in classes if group_of(c["name"]) == group)
        for metric in ("bbox", "segm")
        for group in GROUPS
    }


def collect(comparison: Comparison, subset: str) -> list[dict[str, Any]]:
    """Return the runs of each row that has any, with the share of novel AP that they kept."""
    before: dict[int, Run] = {}
    found = []
    for row in comparison.rows:
        runs = []
        for seed in range(comparison.options.seeds):
            folder = comparison.folder(row.name, seed) / subset
            if not (folder / "per_category.json").is_file():
                continue
            run = read_run(folder)
            start = before.setdefault(seed, run)
            for metric in ("bbox", "segm"):
                run[f"{metric}/kept"] = 100 * run[f"{metric}/novel"] / start[f"{metric}/novel"]
            runs.append({"seed": seed, **run})
        if runs:
            found.append(
                dict(name=row.name, title=row.title, config=Path(row.config).stem, runs=runs)
            )
    return found


def markdown(rows: list[dict[str, Any]]) -> str:
    """Return the table: mean and standard deviation over the seeds."""
    columns = {
        f"{metric}/{key}": f"{name} {title}"
        for metric, name in (("bbox", "box AP"), ("segm", "mask AP"))
        for key, title in (
            ("new", "new"),
            ("novel", "novel"),
            ("kept", "novel kept, %"),
            ("base", "base"),
        )
    }
    lines = []
    for row in rows:
        cells = [mean_and_deviation([run[key] for run in row["runs"]]) for key in columns]
        title = "before" if row["name"] == "best" else row["title"]
        lines.append([title, str(len(row["runs"])), *cells])
    return markdown_table(["training", "seeds", *columns.values()], lines)


def main() -> None:
    """Make the runs that are missing, and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of runs and results")
    parser.add_argument("--data-root", default="data/ovshapes", help="OVShapes; drawn if missing")
    parser.add_argument("--new-root", default="data/ovshapes_new", help="the new images; likewise")
    parser.add_argument("--seeds", type=int, default=3, help="runs of a row (default: 3)")
    parser.add_argument(
        "--subset", default="test", choices=["val", "test"], help="images to test on"
    )
    parser.add_argument("--rows", nargs="+", help="names of rows to run (default: all)")
    parser.add_argument("--report", action="store_true", help="only write the table")
    args = parser.parse_args()
    options = CompareOptions(
        out=str(args.out), data_root=args.data_root, seeds=args.seeds, subset=args.subset
    )
    rows = make_rows(args.new_root)
    comparison = Comparison(options, rows)
    failures = []
    if not args.report:
        wanted = [row for row in rows if not args.rows or row.name in args.rows]
        failures = Comparison(options, wanted).run_all()
    found = collect(comparison, args.subset)
    write_json(args.out / "continue.json", {"rows": found, "provenance": provenance()})
    write_text(args.out / "continue.md", markdown(found) + "\n")
    print(markdown(found))
    if failures:
        raise SystemExit("\n".join(failures))


if __name__ == "__main__":
    main()
