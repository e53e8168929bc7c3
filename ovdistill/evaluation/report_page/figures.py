"""How figures stand in a report: with one decimal, a dash for none, a difference beside them."""

from __future__ import annotations

from ovdistill.visualization.page.markup import Markup, join, tag

SMALLEST = 0.05  # a difference below it is none with one decimal
GROUP_NAMES = {"all": "all classes", "base": "base classes", "novel": "novel classes"}


def shown(value: float | None) -> str:
    """Return a figure with one decimal, or a dash where there is no ground truth."""
    return "–" if value is None or value < 0 else f"{value:.1f}"


def difference(value: float | None, first: float | None) -> str:
    """Return a difference to the first run with its sign, or nothing if one of them is missing."""
    if value is None or first is None or min(value, first) < 0:
        return ""
    change = value - first
    return "±0.0" if abs(change) < SMALLEST else f"{change:+.1f}".replace("-", "−")


def with_difference(value: float | None, first: float | None, *, rising: bool = True) -> Markup:
    """Return a figure and its difference to that of the first run.

    Args:
        value: the figure.
        first: that of the first run.
        rising: more is better.
    """
    text = difference(value, first)
    better = text.startswith("+") == rising
    style = "same" if text.startswith("±") else "plus" if better else "minus"
    return join([shown(value), " ", tag("span", text, class_=style)] if text else shown(value))


def cell(content: object, value: float | str | None = None, *, first: bool = False) -> Markup:
    """Return a cell of a table.

    Args:
        content: what it shows, text or markup.
        value: what it is sorted by, if that is not what it shows; below 0 is nothing.
        first: the first of a group of columns.
    """
    if isinstance(value, (int, float)):
        value = "" if value < 0 else f"{value:.6g}"
    shown_content = content if isinstance(content, (Markup, str)) else f"{content}"
    return tag("td", shown_content, data_value=value, class_="first" if first else None)
