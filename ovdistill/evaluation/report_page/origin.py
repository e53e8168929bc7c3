"""Where the runs come from: what differs between them is marked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ovdistill.evaluation.analysis.report import AnyReport, RunReport
from ovdistill.evaluation.analysis.segmentation_run import SegmentationReport
from ovdistill.visualization.page.markup import Markup, tag

NESTED = {"libraries": "", "hashes": "SHA-256 of "}
IMAGE_IDS = "image_ids"
COMPARED = {
    "SHA-256 of ann_file": "annotation files",
    "subset": "subsets of the images",
    IMAGE_IDS: "images",
    "protocol": "protocols",
    "max_dets": "numbers of detections of an image",
}


def origin_rows(reports: Sequence[AnyReport]) -> list[tuple[str, list[str], bool]]:
    """Return name, values of the runs, and whether they differ, for all that is known of a run."""
    flat = [_flat(report.origin) for report in reports]
    rows = []
    for key in dict.fromkeys(key for values in flat for key in values):
        values = [values.get(key) for values in flat]
        texts = [_text(value) for value in values]
        if any(texts):
            rows.append((key, [_short(value) for value in values], len(set(texts)) > 1))
    return rows


def origin_table(reports: Sequence[AnyReport]) -> Markup:
    """Return the table of origins, a column for each run."""
    rows = [
        tag(
            "tr",
            tag("th", key.replace("_", " "), scope="row"),
            [
                tag("td", tag("code", value), class_="differs" if differs else None)
                for value in values
            ],
        )
        for key, values, differs in origin_rows(reports)
    ]
    head = tag("tr", tag("th", ""), [tag("th", report.name, class_="text") for report in reports])
    table = tag("table", tag("thead", head), tag("tbody", rows), class_="wrap")
    return tag("div", table, class_="scroll")


def comparison_warnings(reports: Sequence[AnyReport]) -> list[str]:
    """Return what makes the figures of the runs differ beside the networks themselves.

    Label maps are told apart by the pixels that they have of each class, since a run need not say
    where they lie, and folders may move.
    """
    flat = [_flat(report.origin) for report in reports]
    compared: dict[str, set[Any]] = {}
    for key, what in COMPARED.items():
        values = {_text(values.get(key)) for values in flat}
        # what a run does not say is not known to differ, but no ids of images are all images
        compared[what] = values if key == IMAGE_IDS else values - {""}
    of_segmentors = [one for one in reports if isinstance(one, SegmentationReport)]
    compared["numbers of images"] = {report.images for report in of_segmentors}
    compared["label maps"] = {tuple(row.pixels for row in one.classes) for one in of_segmentors}
    return [
        f"The runs were tested with different {what}."
        for what, values in compared.items()
        if len(values) > 1
    ]


def left_out_notes(reports: Sequence[RunReport]) -> list[str]:
    """Return a sentence for each run with detections of categories that were not evaluated."""
    return [
        f"{report.left_out:,} detections of {report.name} are of categories that were not "
        "evaluated: they are left out."
        for report in reports
        if report.left_out
    ]


def _flat(origin: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in origin.items():
        if key in NESTED and isinstance(value, dict):
            values |= {f"{NESTED[key]}{name}": one for name, one in value.items()}
        else:
            values[key] = value
    return values


def _text(value: Any) -> str:
    """Return the whole of a value, by which runs are compared."""
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


def _short(value: Any) -> str:
    """Return a value as it is shown."""
    if isinstance(value, list) and len(value) > 20:
        return f"{len(value)} values: {json.dumps(value[:10])[:-1]}, ...]"
    return _text(value)
