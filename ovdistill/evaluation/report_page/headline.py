"""The first table: AP of boxes and masks, of base and novel classes, for each run."""

from __future__ import annotations

from collections.abc import Sequence

from ovdistill.evaluation.analysis.report import RunReport
from ovdistill.evaluation.report_page.figures import with_difference
from ovdistill.visualization.page.axes import Axis
from ovdistill.visualization.page.charts import bar_chart
from ovdistill.visualization.page.markup import Markup, tag

KINDS = {"bbox": "boxes", "segm": "masks"}
COLUMNS = {
    "AP": "AP",
    "AP50": "AP50",
    "AP75": "AP75",
    "AP_base": "AP base",
    "AP_novel": "AP novel",
    "AP50_base": "AP50 base",
    "AP50_novel": "AP50 novel",
    "HM50": "HM50",
    "APr": "APr",
    "APc": "APc",
    "APf": "APf",
}
BARS = {
    "AP_base": "base",
    "AP_novel": "novel",
    "HM50": "HM50",
    "APr": "rare",
    "APc": "common",
    "APf": "frequent",
}


def metrics_shown(reports: Sequence[RunReport]) -> list[tuple[str, list[str]]]:
    """Return 'bbox' and 'segm', if some run has it, each with the columns that some run has."""
    found = []
    for kind in KINDS:
        there = [key for key in COLUMNS if any(f"{kind}/{key}" in r.metrics for r in reports)]
        if there:
            found.append((kind, there))
    return found


def headline_table(reports: Sequence[RunReport]) -> Markup:
    """Return the table, with the differences to the first run."""
    shown = metrics_shown(reports)
    columns = [key for key in COLUMNS if any(key in keys for _, keys in shown)]
    rows = []
    for kind, _ in shown:
        for report in reports:
            cells = [
                with_difference(
                    report.metrics.get(f"{kind}/{key}"),
                    None if report is reports[0] else reports[0].metrics.get(f"{kind}/{key}"),
                )
                for key in columns
            ]
            name = tag("th", f"{report.name}, {KINDS[kind]}", scope="row")
            rows.append(tag("tr", name, [tag("td", content) for content in cells]))
    head = [tag("th", COLUMNS[key], scope="col") for key in columns]
    table = tag("table", tag("thead", tag("tr", tag("th", ""), head)), tag("tbody", rows))
    return tag("div", table, class_="scroll pinned")


def headline_charts(reports: Sequence[RunReport]) -> list[Markup]:
    """Return a chart of bars for boxes and for masks."""
    charts = []
    for kind, keys in metrics_shown(reports):
        groups = [key for key in BARS if key in keys]
        bars = [
            (r.name, [_known(r.metrics.get(f"{kind}/{key}")) for key in groups]) for r in reports
        ]
        title, names = f"AP of {KINDS[kind]}", [BARS[key] for key in groups]
        charts.append(bar_chart(title, names, bars, Axis("AP", 0.0, 100.0)))
    return charts


def _known(value: float | None) -> float | None:
    return None if value is None or value < 0 else value
