"""The report as Markdown: the tables of the page, for a text editor or a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from ovdistill.core.markdown import markdown_cell, markdown_table
from ovdistill.evaluation.analysis.naming import OUTCOMES
from ovdistill.evaluation.analysis.report import GROUPS, RunReport
from ovdistill.evaluation.report_page.errors import KINDS as ERROR_KINDS
from ovdistill.evaluation.report_page.figures import difference, shown
from ovdistill.evaluation.report_page.headline import COLUMNS, metrics_shown
from ovdistill.evaluation.report_page.headline import KINDS as METRIC_KINDS
from ovdistill.evaluation.report_page.origin import (
    comparison_warnings,
    left_out_notes,
    origin_rows,
)
from ovdistill.evaluation.report_page.proposals import NUMBERS, recall, recall_notes

MOST_PAIRS = 10
OUTCOME_NAMES = ("named right", "other name of the split", "name of the other split", "missed")
MOST_CLASSES = 30


def report_markdown(reports: Sequence[RunReport]) -> str:
    """Return the tables of a report in Markdown."""
    names = " and ".join(markdown_cell(report.name) for report in reports)
    parts = [f"# Test report: {names}", *comparison_warnings(reports)]
    parts += [markdown_cell(note) for note in left_out_notes(reports)]
    for kind, keys in metrics_shown(reports):
        rows = [[report.name, *_metrics(report, reports[0], kind, keys)] for report in reports]
        columns = [COLUMNS[key] for key in keys]
        parts += [f"## AP of {METRIC_KINDS[kind]}", markdown_table(["", *columns], rows)]
    parts += ["## Names of localised objects", _naming(reports)]
    for report in reports:
        pairs = [[true, wrong, f"{n}"] for true, wrong, n in report.confusions.pairs[:MOST_PAIRS]]
        title = f"Most frequent confusions of {markdown_cell(report.name)}:"
        parts += [title, markdown_table(["object", "called", "objects"], pairs, "llr")]
    parts += ["## AP50 lost to each kind of error", _errors(reports)]
    parts += ["## Recall of boxes without names", _recall(reports), *recall_notes(reports)]
    parts += ["## Expected calibration error, %", _calibration(reports)]
    parts += [_class_title(reports), _classes(reports)]
    origins = [[key.replace("_", " "), *values] for key, values, _ in origin_rows(reports)]
    header = ["", *(report.name for report in reports)]
    parts += ["## Provenance", markdown_table(header, origins, "l" * len(header))]
    return "\n\n".join(parts) + "\n"


def _metrics(report: RunReport, first: RunReport, kind: str, keys: Sequence[str]) -> list[str]:
    """Return the figures of a row, with the differences to the first run."""
    cells = []
    for key in keys:
        value, before = (one.metrics.get(f"{kind}/{key}") for one in (report, first))
        change = "" if report is first else difference(value, before)
        cells.append(f"{shown(value)} ({change})" if change else shown(value))
    return cells


def _naming(reports: Sequence[RunReport]) -> str:
    rows = []
    for report in reports:
        for group in ("novel", "base"):
            shares = [f"{report.naming[group][outcome]:.1f}" for outcome in OUTCOMES]
            rows.append([report.name, group, f"{report.naming[group]['objects']:.0f}", *shares])
    head = ["run", "objects of", "number", *(f"{name}, %" for name in OUTCOME_NAMES)]
    return markdown_table(head, rows, "llr" + "r" * len(OUTCOME_NAMES))


def _errors(reports: Sequence[RunReport]) -> str:
    head = ["error", *(f"{report.name}, {group}" for report in reports for group in GROUPS)]
    rows = [
        [name, *(shown(report.errors[kind][group]) for report in reports for group in GROUPS)]
        for kind, (name, _) in ERROR_KINDS.items()
    ]
    return markdown_table(head, rows)


def _recall(reports: Sequence[RunReport]) -> str:
    columns = [(number, group) for number in NUMBERS for group in ("base", "novel")]
    rows = [[r.name, *(shown(recall(r, *column)) for column in columns)] for r in reports]
    return markdown_table(["", *(f"AR@{number} {group}" for number, group in columns)], rows)


def _calibration(reports: Sequence[RunReport]) -> str:
    rows = []
    for report in reports:
        errors = {group: 100 * bins.error for group, bins in report.reliability.items()}
        rows.append([report.name, *(shown(errors.get(group)) for group in GROUPS)])
    return markdown_table(["", *GROUPS], rows)


def _class_title(reports: Sequence[RunReport]) -> str:
    total = len(reports[0].classes)
    if total <= MOST_CLASSES:
        return "## Classes"
    return f"## The {MOST_CLASSES} of {total} classes with the lowest box AP of the first run"


def _classes(reports: Sequence[RunReport]) -> str:
    rows = list(zip(*(report.classes for report in reports), strict=True))
    rows = sorted((row for row in rows if row[0].ap >= 0), key=lambda row: row[0].ap)
    lines = []
    for row in rows[:MOST_CLASSES]:
        line = [row[0].name, row[0].group, f"{row[0].objects}"]
        for one in row:
            line += [shown(one.ap), shown(one.recall), one.confused_with or "–"]
        lines.append(line)
    own = [
        f"{report.name}, {name}"
        for report in reports
        for name in ("AP", "recall", "most confused with")
    ]
    alignment = "llr" + "rrl" * len(reports)
    return markdown_table(["class", "split", "objects", *own], lines, alignment)
