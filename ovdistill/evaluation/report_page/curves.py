"""Charts of curves: precision and recall, reliability of scores, training, size of classes."""

from __future__ import annotations

from collections.abc import Sequence

from ovdistill.evaluation.analysis.average_precision import RECALL_LEVELS
from ovdistill.evaluation.analysis.report import GROUPS, RunReport
from ovdistill.evaluation.report_page.figures import GROUP_NAMES
from ovdistill.visualization.page.axes import Axis, axis_for
from ovdistill.visualization.page.charts import Series, line_chart, scatter_chart
from ovdistill.visualization.page.markup import Markup

PERCENT = (0.0, 100.0)
RECALL = [100 * float(level) for level in RECALL_LEVELS]


def precision_recall_charts(reports: Sequence[RunReport]) -> list[Markup]:
    """Return a chart for boxes and masks at IoU 0.5 and 0.75, with base and novel classes."""
    charts = []
    for key in dict.fromkeys(key for report in reports for key in report.curves):
        metric, iou = key.split("/")
        series = []
        for number, report in enumerate(reports):
            for group in ("base", "novel"):
                if precision := report.curves.get(key, {}).get(group):
                    name = f"{report.name}, {group} ({sum(precision) / len(precision):.1f})"
                    points = list(zip(RECALL, precision, strict=True))
                    series.append(Series(name, points, number, dashed=group == "novel"))
        title = f"{'Boxes' if metric == 'bbox' else 'Masks'} at IoU 0.{iou}"
        axes = Axis("recall, %", *PERCENT), Axis("precision, %", *PERCENT)
        charts.append(line_chart(title, series, *axes))
    return charts


def reliability_charts(reports: Sequence[RunReport]) -> list[Markup]:
    """Return a chart of the share of right detections against the score, for each group.

    There is none where no run has scores from 0 to 1.
    """
    measured = [(number, report) for number, report in enumerate(reports) if report.reliability]
    charts = []
    for group in GROUPS if measured else ():
        series = []
        for number, report in measured:
            bins = report.reliability[group]
            points = [
                (score, 100 * share)
                for score, share, count in zip(bins.scores, bins.shares, bins.counts, strict=True)
                if count
            ]
            error = f"ECE {100 * bins.error:.1f} %" if points else "no detections"
            series.append(Series(f"{report.name} ({error})", points, number))
        axes = Axis("score", 0.0, 1.0), Axis("right detections, %", *PERCENT)
        title = f"Detections named as {GROUP_NAMES[group]}"
        charts.append(line_chart(title, series, *axes, dots=True, diagonal=True))
    return charts


def class_size_charts(reports: Sequence[RunReport]) -> list[Markup]:
    """Return a chart of AP against the number of objects of each class, for each run."""
    sizes = [row.objects for row in reports[0].classes if row.objects]
    x = axis_for("labelled objects of the class", sizes, log=True)
    charts = []
    for report in reports:
        series = []
        for number, (group, kind) in enumerate((("base", "circle"), ("novel", "triangle"))):
            rows = [r for r in report.classes if r.group == group and r.objects and r.ap >= 0]
            titles = [f"{row.name}: AP {row.ap:.1f}, {row.objects} objects" for row in rows]
            points = [(float(row.objects), row.ap) for row in rows]
            series.append(Series(group, points, (0, 3)[number], kind=kind, titles=titles))
        title = f"{report.name}: AP of boxes of each class"
        charts.append(scatter_chart(title, series, x, Axis("AP", *PERCENT)))
    return charts


def training_charts(reports: Sequence[RunReport]) -> list[Markup]:
    """Return a chart of the losses of each run, and one of AP on val images if it was measured."""
    charts = []
    for report in reports:
        training = report.training or {}
        for title, curves, unit in (
            ("losses of the training", training.get("losses", {}), "loss"),
            ("AP on the val images", training.get("ap", {}), "AP"),
        ):
            if not curves:
                continue
            values = [value for points in curves.values() for _, value in points]
            steps = [step for points in curves.values() for step, _ in points]
            series = [
                Series(name, points, number, dashed=number >= 8)
                for number, (name, points) in enumerate(curves.items())
            ]
            axes = axis_for("iteration", steps), axis_for(unit, values)
            charts.append(line_chart(f"{report.name}: {title}", series, *axes, dots=unit == "AP"))
    return charts
