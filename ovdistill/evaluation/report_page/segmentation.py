"""The page about tests of segmentors."""

from __future__ import annotations

from collections.abc import Sequence

from ovdistill.core.version import VERSION
from ovdistill.evaluation.analysis.segmentation_run import SegmentationReport
from ovdistill.evaluation.report_page.classes import sortable_table
from ovdistill.evaluation.report_page.document import Section, chart_grid, document
from ovdistill.evaluation.report_page.figures import cell, shown, with_difference
from ovdistill.evaluation.report_page.gallery import MOST_BYTES, Gallery, gallery_section
from ovdistill.evaluation.report_page.naming import (
    confusion_matrices,
    confusion_tables,
    naming_bars,
)
from ovdistill.evaluation.report_page.origin import comparison_warnings, origin_table
from ovdistill.evaluation.report_page.segmentation_gallery import KINDS
from ovdistill.visualization.page.axes import Axis
from ovdistill.visualization.page.charts import bar_chart
from ovdistill.visualization.page.markup import Markup, tag

FIGURES = {
    "semantic/mIoU": "mIoU",
    "semantic/sIoU": "IoU base",
    "semantic/uIoU": "IoU novel",
    "semantic/hIoU": "hIoU",
    "semantic/pAcc": "pixels right",
    "semantic/mAcc": "mean accuracy",
    "panoptic/PQ": "PQ",
    "panoptic/sPQ": "PQ base",
    "panoptic/uPQ": "PQ novel",
    "panoptic/hPQ": "hPQ",
}
ALWAYS = "semantic/"  # the others are shown if a run has them
BARS = ("semantic/sIoU", "semantic/uIoU", "semantic/hIoU")
THINGS, NO_NAME = "pixels", "no name"


def segmentation_page(reports: Sequence[SegmentationReport], galleries: Sequence[Gallery]) -> str:
    """Return the page as HTML that needs no other file.

    Args:
        reports: of one run or more, of the same classes.
        galleries: of each run; empty ones are left out.
    """
    one = reports[0]
    novel = sum(row.group == "novel" for row in one.classes)
    summary = (
        f"{one.images:,} images, {sum(row.pixels for row in one.classes):,} labelled pixels, "
        f"{len(one.classes) - novel:,} base and {novel:,} novel classes compete for every pixel. "
        f"ovdistill {VERSION}."
    )
    names = " · ".join(report.name for report in reports)
    return document(names, summary, comparison_warnings(reports), _sections(reports, galleries))


def _sections(reports: Sequence[SegmentationReport], galleries: Sequence[Gallery]) -> list[Section]:
    compared = " Small numbers are differences to the first run." if len(reports) > 1 else ""
    sections = [
        Section(
            "metrics",
            "Metrics",
            "In percent. IoU is intersection over union of the pixels of all images, and then the "
            "mean over classes. hIoU is the harmonic mean of base and novel. PQ is panoptic "
            f"quality, if the test has measured it.{compared}",
            [_figure_table(reports), chart_grid([_figure_chart(reports)])],
        ),
        Section(
            "naming",
            "Names of pixels",
            "What the pixels of novel and of base classes are called. Novel names are violet.",
            [naming_bars(reports, THINGS, NO_NAME), confusion_tables(reports, THINGS)],
        ),
        Section(
            "classes",
            "Classes",
            "A click on a heading sorts. “Confused with” is the wrong name that pixels of the "
            "class have most often, and the share of them in percent.",
            _class_table(reports),
        ),
        Section(
            "matrix",
            "Confusion matrix",
            "Rows are the classes of pixels, columns their names: right ones green, wrong ones "
            "red. A strong colour is a large share of the row.",
            confusion_matrices(reports, THINGS, f"({NO_NAME})"),
        ),
    ]
    drawn = [pair for pair in zip(reports, galleries, strict=True) if pair[1]]
    if drawn:
        content = [
            gallery_section(report.name, gallery, MOST_BYTES // len(drawn), KINDS)
            for report, gallery in drawn
        ]
        note = "On the left the labels, on the right what the pixels are called."
        sections.append(Section("gallery", "Gallery", note, content))
    differing = " Values that differ are marked." if len(reports) > 1 else ""
    note = f"Inputs, versions and settings.{differing}"
    return [*sections, Section("origin", "Provenance", note, origin_table(reports))]


def _figure_table(reports: Sequence[SegmentationReport]) -> Markup:
    figures = figures_of(reports)
    head = [tag("th", title, scope="col") for title in figures.values()]
    rows = []
    for report in reports:
        first = None if report is reports[0] else reports[0]
        cells = [
            with_difference(figure(report, key), None if first is None else figure(first, key))
            for key in figures
        ]
        name = tag("th", report.name, scope="row")
        rows.append(tag("tr", name, [tag("td", content) for content in cells]))
    table = tag("table", tag("thead", tag("tr", tag("th", ""), head)), tag("tbody", rows))
    return tag("div", table, class_="scroll pinned")


def _figure_chart(reports: Sequence[SegmentationReport]) -> Markup:
    bars: list[tuple[str, list[float | None]]] = []
    for report in reports:
        values = [figure(report, key) for key in BARS]
        bars.append((report.name, [value if value >= 0 else None for value in values]))
    return bar_chart("IoU", [FIGURES[key] for key in BARS], bars, Axis("IoU", 0.0, 100.0))


def figures_of(reports: Sequence[SegmentationReport]) -> dict[str, str]:
    """Return the titles of the figures to show, by their keys."""
    return {
        key: title
        for key, title in FIGURES.items()
        if key.startswith(ALWAYS) or any(key in report.metrics for report in reports)
    }


def figure(report: SegmentationReport, key: str) -> float:
    """Return a figure of ``FIGURES`` in percent, -1.0 for none."""
    return report.metrics.get(key, -1.0)


def _class_table(reports: Sequence[SegmentationReport]) -> Markup:
    own = ("IoU", "accuracy", "confused with")
    rows = []
    for classes in zip(*(report.classes for report in reports), strict=True):
        one = classes[0]
        cells = [cell(f"{one.pixels:,}", one.pixels)]
        for row in classes:
            iou = with_difference(row.iou, None if row is one else one.iou)
            confused = f"{row.confused_with} ({row.confused:.0f} %)" if row.confused_with else ""
            cells += [
                cell(iou, row.iou, first=True),
                cell(shown(row.accuracy), row.accuracy),
                tag("td", confused, class_="text", data_value=row.confused_with),
            ]
        rows.append((one, cells))
    return sortable_table([report.name for report in reports], ("pixels",), own, rows)
