"""What objects are called: shares, the most frequent confusions, confusion matrices."""

from __future__ import annotations

from collections.abc import Sequence

from ovdistill.evaluation.analysis.naming import OUTCOMES
from ovdistill.evaluation.analysis.report import AnyReport
from ovdistill.visualization.page.charts import stacked_bars
from ovdistill.visualization.page.markup import Markup, tag
from ovdistill.visualization.page.matrix import matrix_chart

STYLES = ("right", "p-same", "p-other", "p-missed")
MOST_CLASSES = 70  # of a matrix whose names can be read
MOST_PAIRS = 12


def naming_bars(
    reports: Sequence[AnyReport], things: str = "objects", missed: str = "missed"
) -> list[Markup]:
    """Return bars of what becomes of novel and of base things.

    Args:
        reports: of the runs.
        things: what has a name: objects or pixels.
        missed: what those without a name are called.
    """
    charts = []
    for group, other in (("novel", "base"), ("base", "novel")):
        words = ("named right", f"called another {group} name", f"called a {other} name", missed)
        rows = [
            (report.name, [report.naming[group][outcome] for outcome in OUTCOMES])
            for report in reports
            if report.naming[group]["objects"]
        ]
        if rows:
            count = max(int(report.naming[group]["objects"]) for report in reports)
            title = f"{things.capitalize()} of {group} classes ({count:,}), %"
            charts.append(stacked_bars(title, rows, tuple(zip(words, STYLES, strict=True))))
    return charts


def confusion_tables(reports: Sequence[AnyReport], things: str = "objects") -> Markup:
    """Return the most frequent confusions of each run: of objects or of pixels."""
    tables = []
    for report in reports:
        novel = {row.name for row in report.classes if row.group == "novel"}
        rows = [
            tag(
                "tr",
                tag("th", _named(true, novel), scope="row"),
                tag("td", _named(wrong, novel), class_="text"),
                tag("td", f"{count:,}"),
            )
            for true, wrong, count in report.confusions.pairs[:MOST_PAIRS]
        ]
        names = (things.removesuffix("s"), "called", things)
        styles = ("text", "text", None)
        head = [tag("th", name, class_=style) for name, style in zip(names, styles, strict=True)]
        table = tag("table", tag("thead", tag("tr", head)), tag("tbody", rows))
        tables.append(tag("div", tag("h3", report.name), tag("div", table, class_="scroll")))
    return tag("div", tables, class_="charts two" if len(reports) < 3 else "charts")


def confusion_matrices(
    reports: Sequence[AnyReport], things: str = "objects", missed: str = "(missed)"
) -> list[Markup]:
    """Return a matrix of each run: base classes first, and of many the most confused ones.

    Args:
        reports: of the runs.
        things: what has a name: objects or pixels.
        missed: what those without a name are called.
    """
    return [_matrix(report, things.removesuffix("s"), missed) for report in reports]


def _matrix(report: AnyReport, thing: str, missed: str) -> Markup:
    base = [row.group == "base" for row in report.classes]
    chosen = _most_confused(report)
    order = [k for k in chosen if base[k]] + [k for k in chosen if not base[k]]
    place = {k: column for column, k in enumerate(order)} | {len(base): len(order)}
    shares = []
    for k in order:
        row = report.confusions.matrix[k]
        total = max(sum(row.values()), 1)
        shares.append({place[c]: count / total for c, count in row.items() if c in place})
    names = [report.classes[k].name for k in order]
    which = "" if len(order) == len(base) else f", the {len(order)} most confused classes"
    title = f"{report.name}: {thing} (row) and its name (column), base | novel{which}"
    border = sum(base[k] for k in order)
    return matrix_chart(title, names, [*names, missed], shares, border)


def _most_confused(report: AnyReport) -> list[int]:
    """Return the indices of at most ``MOST_CLASSES`` classes, those with the most wrong names."""
    classes = range(len(report.classes))
    if len(classes) <= MOST_CLASSES:
        return [*classes]
    index = {row.name: k for k, row in enumerate(report.classes)}
    weights = dict.fromkeys(classes, 0)
    for true, wrong, count in report.confusions.pairs:
        weights[index[true]] += count
        weights[index[wrong]] += count
    return sorted(sorted(classes, key=lambda k: -weights[k])[:MOST_CLASSES])


def _named(name: str, novel: set[str]) -> Markup:
    return tag("span", name, class_="novel" if name in novel else None)
