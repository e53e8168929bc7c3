"""How many objects the boxes hold that are proposed, whatever they are called."""

from __future__ import annotations

from collections.abc import Sequence

from ovdistill.evaluation.analysis.report import RunReport
from ovdistill.evaluation.report_page.figures import with_difference
from ovdistill.visualization.page.markup import Markup, tag

NUMBERS = (100, 300, 1000)


def recall_table(reports: Sequence[RunReport]) -> Markup:
    """Return average recall of base and novel objects, and a note for what cannot be measured."""
    head = [tag("th", f"AR@{n} {group}") for n in NUMBERS for group in ("base", "novel")]
    rows = []
    for report in reports:
        cells = []
        for number in NUMBERS:
            for group in ("base", "novel"):
                value = recall(report, number, group)
                before = None if report is reports[0] else recall(reports[0], number, group)
                cells.append(tag("td", with_difference(value, before)))
        rows.append(tag("tr", tag("th", f"{report.name}, {_source(report)}", scope="row"), cells))
    table = tag("table", tag("thead", tag("tr", tag("th", ""), head)), tag("tbody", rows))
    notes = [tag("p", note, class_="note") for note in recall_notes(reports)]
    return tag("div", tag("div", table, class_="scroll pinned"), notes)


def recall(report: RunReport, number: int, group: str) -> float | None:
    """Return the recall of the best ``number`` boxes in percent, or None if it is not known."""
    limit = report.origin.get("proposals_per_image")
    if limit is None:
        return report.detection_recall.get(f"AR{number}_{group}")
    return report.metrics.get(f"proposal/AR{number}_{group}") if number <= limit else None


def recall_notes(reports: Sequence[RunReport]) -> list[str]:
    """Return what a reader must know of the numbers, a sentence each."""
    notes = []
    limits: dict[int, list[str]] = {}
    for report in reports:
        limit = report.origin.get("proposals_per_image")
        if limit is None:
            of = "image and class" if report.origin["protocol"] == "coco" else "image"
            notes.append(
                f"{report.name} has no region proposals: these are its detections, whatever their "
                f"names, at most {report.origin['max_dets']} of an {of}."
            )
        elif limit < NUMBERS[-1]:
            limits.setdefault(limit, []).append(report.name)
    for limit, names in limits.items():
        missing = " and ".join(f"AR@{number}" for number in NUMBERS if number > limit)
        notes.append(
            f"The RPN of {' and '.join(names)} keeps {limit} proposals of an image, so there is no "
            f"{missing}; model.test_cfg.rpn.max_per_img sets it."
        )
    return notes


def _source(report: RunReport) -> str:
    has_rpn = report.origin.get("proposals_per_image") is not None
    return "region proposals" if has_rpn else "detections"
