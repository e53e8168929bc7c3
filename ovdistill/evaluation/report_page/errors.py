"""What each kind of error costs, as charts and a table."""

from __future__ import annotations

from collections.abc import Sequence

from ovdistill.evaluation.analysis.report import GROUPS, RunReport
from ovdistill.evaluation.report_page.figures import GROUP_NAMES, with_difference
from ovdistill.visualization.page.axes import axis_for
from ovdistill.visualization.page.charts import bar_chart
from ovdistill.visualization.page.markup import Markup, tag

# kind: name in the table, name in the chart
KINDS = {
    "classification": ("wrong name", "name"),
    "localisation": ("wrong box", "box"),
    "both": ("wrong name and box", "both"),
    "duplicate": ("duplicate", "duplicate"),
    "background": ("background", "backgr."),
    "missed": ("missed", "missed"),
}
TOTALS = {"false_positives": "all false positives", "false_negatives": "all unfound objects"}


def error_charts(reports: Sequence[RunReport]) -> list[Markup]:
    """Return a chart of the costs in AP50 for all, base and novel classes."""
    short = [name for _, name in KINDS.values()]
    charts = []
    for group in GROUPS:
        bars = [(r.name, [max(r.errors[kind][group], 0.0) for kind in KINDS]) for r in reports]
        y = axis_for("points of AP50", [value for _, row in bars for value in row])
        charts.append(bar_chart(f"AP50 lost, {GROUP_NAMES[group]}", short, bars, y))
    return charts


def error_table(reports: Sequence[RunReport]) -> Markup:
    """Return the costs and the numbers of errors in a table."""
    head = [
        tag("th", f"{report.name}, {group}", class_="first" if group == GROUPS[0] else None)
        for report in reports
        for group in (*GROUPS, "errors")
    ]
    rows = []
    for kind, name in {**{kind: names[0] for kind, names in KINDS.items()}, **TOTALS}.items():
        cells = []
        for report in reports:
            for group in GROUPS:
                before = None if report is reports[0] else reports[0].errors[kind][group]
                content = with_difference(report.errors[kind][group], before, rising=False)
                style = "first" if group == GROUPS[0] else None
                cells.append(tag("td", content, class_=style))
            count = report.error_counts.get(kind)
            cells.append(tag("td", f"{count['all']:,}" if count else ""))
        rows.append(tag("tr", tag("th", name, scope="row"), cells))
    table = tag("table", tag("thead", tag("tr", tag("th", "error"), head)), tag("tbody", rows))
    return tag("div", table, class_="scroll pinned")
