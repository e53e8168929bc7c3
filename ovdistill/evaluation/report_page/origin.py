"""Where the runs come from: what differs between them is marked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ovdistill.evaluation.analysis.report import AnyReport
from ovdistill.visualization.page.markup import Markup, tag

NESTED = {"libraries": "", "hashes": "SHA-256 of "}


def origin_rows(reports: Sequence[AnyReport]) -> list[tuple[str, list[str], bool]]:
    """Return name, values of the runs, and whether they differ, for all that is known of a run."""
    flat = [_flat(report.origin) for report in reports]
    rows = []
    for key in dict.fromkeys(key for values in flat for key in values):
        values = [values.get(key, "") for values in flat]
        if any(values):
            rows.append((key, values, len(set(values)) > 1))
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
    """Return what makes the figures of the runs differ beside the detectors themselves."""
    warnings = []
    for key, what in (
        ("SHA-256 of ann_file", "annotation files"),
        ("subset", "subsets of the images"),
        ("image_ids", "images"),
        ("protocol", "protocols"),
        ("max_dets", "numbers of detections of an image"),
    ):
        values = {_flat(report.origin).get(key) for report in reports}
        if len(values) > 1:
            warnings.append(f"The runs were tested with different {what}.")
    return warnings


def _flat(origin: dict[str, Any]) -> dict[str, str]:
    values: dict[str, str] = {}
    for key, value in origin.items():
        if key in NESTED and isinstance(value, dict):
            values |= {f"{NESTED[key]}{name}": _text(one) for name, one in value.items()}
        else:
            values[key] = _text(value)
    return values


def _text(value: Any) -> str:
    if isinstance(value, list) and len(value) > 20:
        return f"{len(value)} values: {json.dumps(value[:10])[:-1]}, ...]"
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)
