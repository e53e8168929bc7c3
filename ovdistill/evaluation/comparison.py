"""Collects the results of a comparison of methods, and writes them as a table and a plot.

The runs of a split lie in ``SPLIT/GEOMETRY/ROW/seedN``, the table of each geometry in
``SPLIT/GEOMETRY``, and a plot of both geometries in ``SPLIT``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

from ovdistill.core.errors import UserError
from ovdistill.core.files import write_json, write_text
from ovdistill.core.header_values import INTEGER, Kind, expect, list_of
from ovdistill.core.markdown import markdown_table
from ovdistill.core.provenance import provenance
from ovdistill.evaluation.comparison_plot import plot_comparison
from ovdistill.evaluation.comparison_rows import ROWS, Row, trained_by
from ovdistill.evaluation.comparison_settings import read_settings
from ovdistill.evaluation.result_files import (
    is_number,
    number,
    read_lines,
    read_metrics,
    read_object,
)

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

GEOMETRIES = {
    "clip": "a teacher with CLIP's geometry",
    "plain": "a teacher without a gap",
    "hard": "a weak teacher, regions of a plain RPN",
}
COSTS = ("seconds", "test_seconds", "memory")
RUNS_TEACHER = "--teacher-on-crops"  # flag of a test in which the teacher runs too
SEED_FOLDER = re.compile("seed(0|[1-9][0-9]*)")  # of a run; others, such as seed0_old, are none
EARLIER_GEOMETRY = "plain"  # of files that name none

RUN = Kind(
    "the result of a run",
    lambda run: (
        isinstance(run, dict)
        and INTEGER.fits(run.get("seed"))
        and all(is_number(run[key]) for key in COLUMNS if key in run)
    ),
)
ROW = Kind(
    "a row with the results of its runs",
    lambda row: (
        isinstance(row, dict)
        and isinstance(row.get("name"), str)
        and list_of(RUN).fits(row.get("runs"))
    ),
)
Runs = dict[str, list[dict[str, Any]]]  # by the name of the row, one run for each seed


def collect(folder: Path, subset: str, rows: Sequence[Row], known: Runs | None = None) -> Runs:
    """Collect the results of every finished run.

    Args:
        folder: has ``ROW/seedN/{val,test}/metrics.json`` and ``ROW/seedN/*/vis_data/scalars.json``.
        subset: 'val' or 'test'.
        rows: the rows to look for.
        known: runs from another comparison, see ``read_runs``; a run of the same row and seed in
            the folder replaces them.

    Returns:
        The runs of each row that has any, in the order of their seeds: metrics in percent,
        ``seconds`` of a training iteration, ``test_seconds`` of a test image, peak ``memory`` in
        MiB, ``seed``, ``date``, version of torch, the ``device`` of the test, and what the run was
        ``made_with`` if it says so.
    """
    by_name = {row.name: row for row in (*ROWS, *rows)}
    found: Runs = {}
    for row in rows:
        runs = {run["seed"]: run for run in (known or {}).get(row.name, ())}
        for path in folder.glob(f"{row.name}/seed*/{subset}/metrics.json"):
            matched = SEED_FOLDER.fullmatch(path.parents[1].name)
            if matched is None:
                continue
            seed = int(matched[1])
            trained = folder / trained_by(row.name, by_name) / matched[0]
            runs[seed] = {**_test_result(path), **_training_cost(trained), "seed": seed}
        if runs:
            found[row.name] = [runs[seed] for seed in sorted(runs)]
    return found


def _test_result(path: Path) -> dict[str, Any]:
    """Read a run's ``metrics.json``, and the ``provenance.json`` beside it."""
    origin = read_object(path.parent / "provenance.json", "provenance.json")
    libraries = origin.get("libraries")
    # the key of earlier versions
    earlier = origin.get("seconds_per_picture", -1)
    settings = read_settings(path.parent)
    return {
        **read_metrics(path),
        "test_seconds": number(origin.get("seconds_per_image", earlier), path),
        "date": origin.get("date"),
        "device": origin.get("device"),
        "torch": libraries.get("torch") if isinstance(libraries, dict) else None,
        **({"made_with": settings} if settings else {}),
    }


def read_runs(path: str | Path, split: str, subset: str, geometry: str) -> Runs:
    """Read the runs of an earlier ``comparison.json``.

    Args:
        path: the file.
        split: how base and novel classes are told apart: the file must have the same.
        subset: 'val' or 'test': the file must have the same.
        geometry: of the teacher's embeddings: the file must have the same.

    Raises:
        UserError: no such file, a damaged one, or one of another split, subset or geometry.
    """
    if not Path(path).is_file():
        raise UserError(f"no file {path}; expected a comparison.json of `ovdistill compare`.")
    content = read_object(Path(path), "comparison.json")
    found = _subset(content)
    known = content.get("geometry", EARLIER_GEOMETRY)
    if (content.get("split"), found, known) != (split, subset, geometry):
        raise UserError(
            f"{path} compares on split {content.get('split')!s:.60}, {found!s:.60} images, "
            f"geometry {known!s:.60}; expected split {split}, {subset} images, geometry {geometry}."
        )
    try:
        rows = expect(content, "rows", list_of(ROW))
    except ValueError as error:
        raise UserError(f"{path} is damaged: {error}. Compare again.") from None
    return {row["name"]: row["runs"] for row in rows}


def _subset(content: dict[str, Any]) -> Any:
    """Return the subset of a comparison.json; earlier versions called it 'pictures'."""
    return content.get("subset", content.get("pictures"))


def _training_cost(folder: Path) -> dict[str, float]:
    """Return the median seconds of a training iteration and the peak memory in MiB.

    The memory is that of the GPU if one was used, else that of the process (``cost.json``).
    """
    times: list[float] = []
    memory: list[float] = []
    for path in folder.glob("*/vis_data/scalars.json"):
        for record in read_lines(path):
            if "loss" in record:
                times.append(number(record.get("time"), path))
                memory.append(number(record.get("memory", 0), path))
    cost = {"seconds": median(times)} if times else {}
    process = folder / "cost.json"
    if any(memory):
        cost["memory"] = max(memory)
    elif process.is_file():
        cost |= read_metrics(process)
    return cost


def write_comparison(
    folder: Path, found: Runs, rows: Sequence[Row], split: str, subset: str, geometry: str
) -> None:
    """Write comparison.json and comparison.md, and a plot, comparison.png, in the folder above.

    The plot shows the geometries that have a comparison.json beside this one too.

    Args:
        folder: where the files go, a folder for each geometry.
        found: the runs, see ``collect``.
        rows: the rows of the table in their order; a row without runs is left out.
        split: how base and novel classes were told apart.
        subset: the images that were tested on, 'val' or 'test'.
        geometry: of the teacher's embeddings, a key of ``GEOMETRIES``.
    """
    rows = [row for row in rows if row.name in found]
    summaries = [_summarize_row(row, found[row.name]) for row in rows]
    content: dict[str, Any] = dict(split=split, subset=subset, geometry=geometry)
    content |= dict(rows=summaries, provenance=provenance())
    write_json(folder / "comparison.json", content)
    write_text(folder / "comparison.md", markdown(summaries))
    _plot(folder.parent, split, subset)


def _plot(folder: Path, split: str, subset: str) -> None:
    """Plot the tables of all geometries of a split that have results."""
    panels = {}
    for geometry, title in GEOMETRIES.items():
        path = folder / geometry / "comparison.json"
        if path.is_file():
            content = read_object(path, "comparison.json")
            if _subset(content) == subset and content.get("rows"):
                panels[f"OVShapes, {split}: {title}"] = content["rows"]
    if panels:
        testing = {row["name"] for rows in panels.values() for row in rows if _runs_teacher(row)}
        plot_comparison(panels, folder / "comparison.png", testing)


def _runs_teacher(row: dict[str, Any]) -> bool:
    """Return whether the teacher runs in the tests of a row; earlier versions do not write it."""
    shipped = {one.name: one.test_flags for one in ROWS}
    return RUNS_TEACHER in row.get("test_flags", shipped.get(row["name"], ()))


def _summarize_row(row: Row, runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what ``comparison.json`` holds of a row."""
    return dict(
        name=row.name,
        title=row.title,
        config=row.config,
        options=row.options,
        novel_captions=row.novel_captions,
        test_flags=row.test_flags,
        runs=runs,
        summary={key: _mean_and_std(runs, key) for key in COLUMNS},
    )


def _mean_and_std(runs: Sequence[dict[str, Any]], key: str) -> dict[str, float] | None:
    """Return mean and sample standard deviation over the runs that have the metric, or None.

    ``count`` says how many these are; of one alone the deviation is 0. What a run costs is of those
    on the device of the first one.
    """
    if key in COSTS:
        runs = [run for run in runs if run.get("device") == runs[0].get("device")]
    values = [run[key] for run in runs if run.get(key, -1) >= 0]
    if not values:
        return None
    spread = stdev(values) if len(values) > 1 else 0.0
    return dict(mean=mean(values), std=spread, count=len(values))


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """Return the table in Markdown.

    Args:
        rows: ``rows`` of ``comparison.json``.
    """
    shown = [key for key in COLUMNS if any(row["summary"][key] for row in rows)]
    lines = []
    for row in rows:
        captions = "yes" if row["novel_captions"] else "no"
        cells = [_cell(row["summary"][key], key, len(row["runs"])) for key in shown]
        lines.append([row["title"], captions, str(len(row["runs"])), *cells])
    header = ["method", "captions name novel objects", "seeds", *(COLUMNS[key] for key in shown)]
    return markdown_table(header, lines, "lcr" + "r" * len(shown)) + "\n"


def _cell(summary: dict[str, float] | None, key: str, runs: int) -> str:
    if summary is None:
        return "-"
    digits = {"seconds": 2, "test_seconds": 3, "memory": 0}.get(key, 1)
    text = f"{summary['mean']:.{digits}f}"
    spread = summary.get("count", runs) > 1 and key not in COSTS  # earlier versions write no count
    return text + (f" ± {summary['std']:.{digits}f}" if spread else "")
