"""The table of classes, which the page sorts and filters."""

from __future__ import annotations

from collections.abc import Sequence

from ovdistill.evaluation.analysis.report import ClassRow, NamedClass, RunReport
from ovdistill.evaluation.report_page.figures import cell, shown, with_difference
from ovdistill.visualization.page.markup import Content, Markup, tag

TABLE = "class-table"  # id in the page


def class_table(reports: Sequence[RunReport]) -> Markup:
    """Return the table of all classes with the runs side by side, and what filters it."""
    first = reports[0].classes
    frequencies = any(row.frequency for row in first)
    masks = any(row.mask_ap is not None for report in reports for row in report.classes)
    common = [*(["freq."] if frequencies else []), "objects"]
    own = ["AP", "AP50", "recall", *(["mask AP"] if masks else []), "confused with"]
    rows = [
        (classes[0], _cells(classes, frequencies=frequencies, masks=masks))
        for classes in zip(*(report.classes for report in reports), strict=True)
    ]
    return sortable_table([report.name for report in reports], common, own, rows)


def sortable_table(
    runs: Sequence[str],
    common: Sequence[str],
    own: Sequence[str],
    rows: Sequence[tuple[NamedClass, Sequence[Content]]],
) -> Markup:
    """Return a table of classes, and what filters it.

    Args:
        runs: their names.
        common: headings of what all runs have in common; the last one is a number.
        own: headings of what each run has: numbers, and a text at the end.
        rows: each class with its cells, those of ``common`` before those of each run.
    """
    over = [
        tag("th", name, colspan=len(own), class_="first text", scope="colgroup") for name in runs
    ]
    head = [
        _header("class", text=True),
        _header("split", text=True),
        *(_header(name, text=name != common[-1]) for name in common),
    ]
    for _ in runs:
        head += [_header(name, text=name == own[-1], first=name == own[0]) for name in own]
    table = tag(
        "table",
        tag(
            "thead",
            tag("tr", tag("td", colspan=len(common) + 2), over) if len(runs) > 1 else None,
            tag("tr", head),
        ),
        tag("tbody", [_row(row, cells) for row, cells in rows]),
        id=TABLE,
        class_="sortable",
    )
    return tag("div", _controls(), tag("div", table, class_="tall pinned", tabindex=0))


def _row(row: NamedClass, cells: Sequence[Content]) -> Markup:
    split = tag("td", tag("span", row.group, class_=row.group), class_="text")
    return tag("tr", tag("th", row.name, scope="row"), split, cells, data_split=row.group)


def _controls() -> Markup:
    options = [
        tag("option", name, value=value)
        for value, name in (("", "base and novel"), ("base", "base"), ("novel", "novel"))
    ]
    return tag(
        "div",
        tag("input", type="search", placeholder="filter by name", aria_label="filter by name"),
        tag("select", options, aria_label="split"),
        tag("output", class_="note"),
        class_="controls",
        data_table=TABLE,
    )


def _header(name: str, *, text: bool = False, first: bool = False) -> Markup:
    style = " ".join(filter(None, ["text" if text else "", "first" if first else ""]))
    return tag("th", tag("button", name, type="button"), scope="col", class_=style or None)


def _cells(classes: Sequence[ClassRow], *, frequencies: bool, masks: bool) -> list[Content]:
    """Return the cells of a class: what runs have in common, and what each has."""
    one = classes[0]
    cells: list[Content] = []
    if frequencies:
        cells.append(tag("td", one.frequency, class_="text"))
    cells.append(cell(f"{one.objects}"))
    for own in classes:
        before = None if own is one else one.ap
        cells.append(cell(with_difference(own.ap, before), own.ap, first=True))
        cells.append(cell(shown(own.ap50), own.ap50))
        cells.append(cell(shown(own.recall), own.recall))
        if masks:
            cells.append(cell(shown(own.mask_ap), -1 if own.mask_ap is None else own.mask_ap))
        confused = f"{own.confused_with} ({own.confused})" if own.confused else ""
        cells.append(tag("td", confused, class_="text", data_value=own.confused_with))
    return cells
