"""The methods side by side: what each row runs, and the table and plot of what came out."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Sequence
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

from ovdistill.core.errors import UserError
from ovdistill.core.files import atomic_file, write_json, write_text
from ovdistill.core.provenance import provenance
from ovdistill.evaluation.comparison_rows import ROWS, Row

COLUMNS = {
    "bbox/AP_novel": "box AP novel",
    "bbox/AP_base": "box AP base",
    "bbox/AP": "box AP all",
    "bbox/AP50_novel": "box AP50 novel",
    "bbox/AP50_base": "box AP50 base",
    "bbox/AP50": "box AP50 all",
    "bbox/HM50": "HM50",
    "segm/AP_novel": "mask AP novel",
    "segm/AP_base": "mask AP base",
    "segm/AP": "mask AP all",
    "segm/AP50_novel": "mask AP50 novel",
    "segm/AP50_base": "mask AP50 base",
    "segm/AP50": "mask AP50 all",
    "proposal/AR100_novel": "AR@100 novel",
    "seconds": "s / iteration",
    "test_seconds": "s / test image",
    "memory": "peak MiB",
}

Runs = dict[str, list[dict[str, Any]]]


def collect(folder: Path, subset: str, rows: Sequence[Row], known: Runs | None = None) -> Runs:
    """The figures of every finished run, by row.

    Args:
        folder: has ``ROW/seedN/{val,test}/metrics.json`` and ``ROW/seedN/*/vis_data/scalars.json``.
        subset: 'val' or 'test'.
        rows: to look for.
        known: runs from elsewhere, see ``read_runs``; one that is in the folder too gives way.
    """
    found = {}
    for row in rows:
        runs = {run["seed"]: run for run in (known or {}).get(row.name, ())}
        for path in folder.glob(f"{row.name}/seed*/{subset}/metrics.json"):
            seed = path.parents[1]
            number = int(re.sub(r"\D", "", seed.name))
            trained = folder / (row.trained_as or row.name) / seed.name
            origin = json.loads((path.parent / "provenance.json").read_text())
            runs[number] = {
                **json.loads(path.read_text()),
                **_cost(trained),
                "test_seconds": origin.get(
                    "seconds_per_image", origin.get("seconds_per_picture", -1)
                ),
                "seed": number,
                "date": origin.get("date"),
                "torch": origin.get("libraries", {}).get("torch"),
            }
        if runs:
            found[row.name] = [runs[number] for number in sorted(runs)]
    return found


def read_runs(path: str | Path, split: str, subset: str) -> Runs:
    """The runs that a ``comparison.json`` holds, by row.

    Raises:
        UserError: no such file, or it is of another split or of other images.
    """
    if not Path(path).is_file():
        raise UserError(f"no file {path}; expected a comparison.json of this tool.")
    content = json.loads(Path(path).read_text())
    found = content.get("subset", content.get("pictures"))  # its name in earlier versions
    if (content["split"], found) != (split, subset):
        raise UserError(
            f"{path} compares on split {content['split']}, {found} images; "
            f"expected split {split}, {subset} images."
        )
    return {row["name"]: row["runs"] for row in content["rows"]}


def _cost(folder: Path) -> dict[str, float]:
    """Median seconds of an iteration and peak memory in MiB of a run's training.

    The memory is that of the GPU where one was used, else that of the process.
    """
    times, memory = [], []
    for path in folder.glob("*/vis_data/scalars.json"):
        for line in path.read_text().splitlines():
            record = json.loads(line)
            if "loss" in record:
                times.append(record["time"])
                memory.append(record.get("memory", 0))
    cost = {"seconds": median(times)} if times else {}
    process = folder / "cost.json"
    if any(memory):
        cost["memory"] = max(memory)
    elif process.is_file():
        cost |= json.loads(process.read_text())
    return cost


def write_comparison(
    folder: Path, found: Runs, rows: Sequence[Row], split: str, subset: str
) -> None:
    """Writes comparison.json, comparison.md and comparison.png."""
    rows = [row for row in rows if row.name in found]
    content = {
        "split": split,
        "subset": subset,
        "rows": [
            dict(
                name=row.name,
                title=row.title,
                config=row.config,
                options=row.options,
                novel_captions=row.novel_captions,
                runs=found[row.name],
                summary={key: _summary(found[row.name], key) for key in COLUMNS},
            )
            for row in rows
        ],
        "provenance": provenance(),
    }
    write_json(folder / "comparison.json", content)
    write_text(folder / "comparison.md", markdown(content["rows"]))
    if rows:
        testing = {row.name for row in rows if row.test_flags}
        plot(content["rows"], folder / "comparison.png", split, testing)


def _summary(runs: Sequence[dict[str, float]], key: str) -> dict[str, float] | None:
    """Mean and sample standard deviation over runs; None where no run has the figure."""
    values = [run[key] for run in runs if run.get(key, -1) >= 0]
    if not values:
        return None
    return dict(mean=mean(values), std=stdev(values) if len(values) > 1 else 0.0)


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """The table."""
    shown = [key for key in COLUMNS if any(row["summary"][key] for row in rows)]
    lines = [
        ["method", "captions name novel objects", "seeds", *(COLUMNS[key] for key in shown)],
        ["---", ":---:", *["---:"] * (len(shown) + 1)],
    ]
    for row in rows:
        captions = "yes" if row["novel_captions"] else "no"
        cells = [_cell(row["summary"][key], key, len(row["runs"])) for key in shown]
        lines.append([row["title"], captions, str(len(row["runs"])), *cells])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _cell(summary: dict[str, float] | None, key: str, runs: int) -> str:
    if summary is None:
        return "-"
    digits = {"seconds": 2, "test_seconds": 3, "memory": 0}.get(key, 1)
    text = f"{summary['mean']:.{digits}f}"
    spread = runs > 1 and key not in ("seconds", "test_seconds", "memory")
    return text + (f" ± {summary['std']:.{digits}f}" if spread else "")


def plot(
    rows: Sequence[dict[str, Any]], path: Path, split: str, tested_otherwise: Container[str] = ()
) -> None:
    """Novel against base box AP, a point a row, with a standard deviation each way."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5.5), layout="constrained")
    axes = figure.add_subplot()
    # a shipped row keeps its colour, whichever others there are
    order = list(dict.fromkeys([row.name for row in ROWS] + [row["name"] for row in rows]))
    shown = {row["name"]: "D" for row in rows if row["name"] in tested_otherwise}
    markers = shown | {"oracle": "*"}
    for row in rows:
        base, novel = row["summary"]["bbox/AP_base"], row["summary"]["bbox/AP_novel"]
        axes.errorbar(
            base["mean"],
            novel["mean"],
            xerr=base["std"],
            yerr=novel["std"],
            fmt=markers.get(row["name"], "o"),
            color=colormaps["tab20"](order.index(row["name"]) % 20),
            markersize=8,
            capsize=3,
            label=row["title"],
        )
    axes.set(xlabel="box AP, base words", ylabel="box AP, novel words", title=f"OVShapes, {split}")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    with atomic_file(path) as temporary:
        figure.savefig(temporary, dpi=150, format="png")
