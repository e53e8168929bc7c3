"""A confusion matrix as a picture in SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ovdistill.visualization.page.axes import chart
from ovdistill.visualization.page.markup import Markup, tag

CELL = 14  # units of the drawing
LETTER = 6.2  # width of a letter, about
LONGEST = 26  # letters of a name


def matrix_chart(
    title: str,
    rows: Sequence[str],
    columns: Sequence[str],
    shares: Sequence[Mapping[int, float]],
    border: int,
) -> Markup:
    """Return a matrix of shares, darker for larger ones.

    Args:
        title: what it shows.
        rows: R names, on the left.
        columns: names, above.
        shares: for each row the shares, from 0 to 1, by column.
        border: the number of rows, and of columns, before the lines that part two groups.
    """
    names = [_short(name) for name in rows]
    heads = [_short(name) for name in columns]
    left = LETTER * max(map(len, names), default=0) + 8
    top = LETTER * max(map(len, heads), default=0) + 8
    width, height = left + CELL * len(columns) + 4, top + CELL * len(rows) + 4
    parts = [tag("rect", class_="paper", x=left, y=top, width=width - left, height=height - top)]
    for row, name in enumerate(names):
        y = top + CELL * row
        parts.append(tag("text", name, class_="tick", x=left - 5, y=y + 11, text_anchor="end"))
        for column, share in sorted(shares[row].items()):
            text = f"{rows[row]} called {columns[column]}: {100 * share:.0f} %"
            parts.append(_cell(left + CELL * column, y, share, text, right=row == column))
    for column, name in enumerate(heads):
        place = f"translate({left + CELL * column + 11:.1f} {top - 5:.1f}) rotate(-90)"
        parts.append(tag("text", name, class_="tick", transform=place))
    x, y = left + CELL * border, top + CELL * border
    parts += [
        tag("line", class_="border", x1=x, x2=x, y1=0, y2=height),
        tag("line", class_="border", x1=0, x2=width, y1=y, y2=y),
    ]
    figure = chart(title, parts, size=(width, height), class_="matrix")
    return Markup(figure.replace("<svg ", f'<svg style="min-width:{width:.0f}px" ', 1))


def _cell(x: float, y: float, share: float, title: str, *, right: bool) -> Markup:
    place = dict(x=x + 0.5, y=y + 0.5, width=CELL - 1, height=CELL - 1)
    style = "right" if right else "wrong"
    # even one object of many can be seen
    shown = 0.22 + 0.78 * share
    return tag("rect", tag("title", title), class_=style, fill_opacity=round(shown, 2), **place)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
