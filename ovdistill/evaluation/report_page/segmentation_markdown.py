"""The report about tests of segmentors as Markdown: the tables of the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ovdistill.core.markdown import markdown_cell, markdown_table
from ovdistill.evaluation.analysis.naming import OUTCOMES
from ovdistill.evaluation.analysis.segmentation_run import SegmentationReport
from ovdistill.evaluation.report_page.figures import difference, shown
from ovdistill.evaluation.report_page.markdown import OUTCOME_NAMES
from ovdistill.evaluation.report_page.origin import comparison_warnings, origin_rows
from ovdistill.evaluation.report_page.segmentation import figure, figures_of

MOST_PAIRS = 10


def segmentation_markdown(reports: Sequence[SegmentationReport]) -> str:
    """Return the tables of the report in Markdown."""
    names = " and ".join(report.name for report in reports)
    titles = figures_of(reports)
    figures = [[report.name, *_cells(report, reports[0], titles)] for report in reports]
    naming = [
        [report.name, group, f"{report.naming[group]['objects']:.0f}"]
        + [f"{report.naming[group][outcome]:.1f}" for outcome in OUTCOMES]
        for report in reports
        for group in ("novel", "base")
    ]
    parts = [
        f"# Test report: {markdown_cell(names)}",
        *comparison_warnings(reports),
        "## IoU, %",
        markdown_table(["", *titles.values()], figures),
        "## Names of pixels",
        markdown_table(
            ["run", "pixels of", "number", *(f"{name}, %" for name in OUTCOME_NAMES)],
            naming,
            "llr" + "r" * len(OUTCOME_NAMES),
        ),
    ]
    for report in reports:
        pairs = [[true, wrong, f"{n}"] for true, wrong, n in report.confusions.pairs[:MOST_PAIRS]]
        title = f"Most frequent confusions of {markdown_cell(report.name)}:"
        parts += [title, markdown_table(["pixel", "called", "pixels"], pairs, "llr")]
    own = [f"{report.name}, {name}" for report in reports for name in ("IoU", "most confused with")]
    lines = [
        [rows[0].name, rows[0].group, f"{rows[0].pixels}"]
        + [text for row in rows for text in (shown(row.iou), row.confused_with or "–")]
        for rows in zip(*(report.classes for report in reports), strict=True)
    ]
    alignment = "llr" + "rl" * len(reports)
    parts += ["## Classes", markdown_table(["class", "split", "pixels", *own], lines, alignment)]
    origins = [[key.replace("_", " "), *values] for key, values, _ in origin_rows(reports)]
    header = ["", *(report.name for report in reports)]
    parts += ["## Provenance", markdown_table(header, origins, "l" * len(header))]
    return "\n\n".join(parts) + "\n"


def _cells(report: SegmentationReport, first: SegmentationReport, keys: Iterable[str]) -> list[str]:
    """Return figures of a run, with the differences to the first one."""
    cells = []
    for key in keys:
        value = figure(report, key)
        change = "" if report is first else difference(value, figure(first, key))
        cells.append(f"{shown(value)} ({change})" if change else shown(value))
    return cells
