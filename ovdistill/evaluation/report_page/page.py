"""The page: its sections in order, each with a sentence that says how to read it."""

from __future__ import annotations

from collections.abc import Sequence

from ovdistill.core.version import VERSION
from ovdistill.evaluation.analysis.report import RunReport
from ovdistill.evaluation.report_page.classes import class_table
from ovdistill.evaluation.report_page.curves import (
    class_size_charts,
    precision_recall_charts,
    reliability_charts,
    training_charts,
)
from ovdistill.evaluation.report_page.document import Section, chart_grid, document
from ovdistill.evaluation.report_page.errors import error_charts, error_table
from ovdistill.evaluation.report_page.gallery import MOST_BYTES, Gallery, gallery_section
from ovdistill.evaluation.report_page.headline import headline_charts, headline_table
from ovdistill.evaluation.report_page.naming import (
    confusion_matrices,
    confusion_tables,
    naming_bars,
)
from ovdistill.evaluation.report_page.origin import (
    comparison_warnings,
    left_out_notes,
    origin_table,
)
from ovdistill.evaluation.report_page.proposals import recall_table
from ovdistill.visualization.page.markup import tag


def report_page(reports: Sequence[RunReport], galleries: Sequence[Gallery]) -> str:
    """Return the page as HTML that needs no other file.

    Args:
        reports: of one run or more, of the same classes.
        galleries: of each run; empty ones are left out.
    """
    sections = _sections(reports, galleries)
    names = " · ".join(report.name for report in reports)
    one = reports[0]
    novel = sum(row.group == "novel" for row in one.classes)
    summary = (
        f"{one.images:,} images, {sum(row.objects for row in one.classes):,} labelled objects, "
        f"{len(one.classes) - novel:,} base and {novel:,} novel classes in one classifier. "
        f"ovdistill {VERSION}."
    )
    warnings = [*comparison_warnings(reports), *left_out_notes(reports)]
    return document(names, summary, warnings, sections)


def _sections(reports: Sequence[RunReport], galleries: Sequence[Gallery]) -> list[Section]:
    compared = " Small numbers are differences to the first run." if len(reports) > 1 else ""
    shown = [pair for pair in zip(reports, galleries, strict=True) if pair[1]]
    training = training_charts(reports)
    sections = [
        Section(
            "metrics",
            "Metrics",
            f"AP in percent. HM50 is the harmonic mean of AP50 base and AP50 novel.{compared}",
            [headline_table(reports), chart_grid(headline_charts(reports))],
        ),
        Section(
            "naming",
            "Names of localised objects",
            "An object is localised if a detection overlaps it with an IoU of 0.5 or more, "
            "whatever its name. The detection with the highest score names it. Novel names are "
            "violet.",
            [naming_bars(reports), confusion_tables(reports)],
        ),
        Section(
            "errors",
            "What errors cost",
            "AP50 of boxes that is won if errors of one kind are mended and all else stays (TIDE). "
            "Errors of all classes are mended together, so a novel object with a base name costs "
            "both.",
            [chart_grid(error_charts(reports)), error_table(reports)],
        ),
        Section(
            "recall",
            "Recall of boxes without names",
            "Mean recall over IoU 0.5:0.05:0.95 of the best 100, 300 and 1000 boxes of an image.",
            recall_table(reports),
        ),
        Section(
            "curves",
            "Precision and recall",
            "Precision is the mean over the classes of a group; the mean of a curve, in brackets, "
            "is its AP.",
            chart_grid(precision_recall_charts(reports)),
        ),
        Section(
            "calibration",
            "Calibration",
            "On the diagonal a score of 0.6 means that six of ten are right, at an IoU of 0.5. ECE "
            "is the mean distance to it, of detections with a score of 0.01 or more. Runs with "
            "scores that are not from 0 to 1 are left out.",
            chart_grid(reliability_charts(reports)),
        ),
        Section(
            "classes",
            "Classes",
            "Boxes; recall at IoU 0.5. A click on a heading sorts. “Confused with” is the wrong "
            "name that objects of the class have most often, and how many of them.",
            [
                class_table(reports),
                tag("h3", "Size of classes"),
                chart_grid(class_size_charts(reports)),
            ],
        ),
        Section(
            "matrix",
            "Confusion matrix",
            "Rows are objects, columns their names: right ones green, wrong ones red. A strong "
            "colour is a large share of the row.",
            confusion_matrices(reports),
        ),
    ]
    if shown:
        content = [
            gallery_section(report.name, gallery, MOST_BYTES // len(shown))
            for report, gallery in shown
        ]
        note = (
            "On the left the labels, on the right what the objects are called. A dashed frame "
            "marks what an example is about."
        )
        sections.append(Section("gallery", "Gallery", note, content))
    if training:
        note = "From the log of the training that made the checkpoint."
        sections.append(Section("training", "Training", note, chart_grid(training)))
    differing = " Values that differ are marked." if len(reports) > 1 else ""
    note = f"Inputs, versions and settings.{differing}"
    return [*sections, Section("origin", "Provenance", note, origin_table(reports))]
