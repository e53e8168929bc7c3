"""Charts in SVG, whose colours come from the page's style sheet, so that they turn dark with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ovdistill.visualization.page.axes import (
    BOTTOM,
    COLOURS,
    HEIGHT,
    LEFT,
    RIGHT,
    WIDTH,
    Axis,
    chart,
    frame,
    legend_entry,
    line_class,
    marker,
    x_place,
    y_place,
)
from ovdistill.visualization.page.markup import Markup, tag

UNUSED = 16  # units below bars, where other charts have the label of an axis


@dataclass(frozen=True)
class Series:
    """Points of a chart that belong together.

    Attributes:
        name: for the legend.
        points: x and y of each.
        colour: number of the colour.
        dashed: of the line.
        kind: marker of a scatter chart, 'circle' or 'triangle'.
        titles: a text of each point, which shows under the mouse.
    """

    name: str
    points: Sequence[tuple[float, float]]
    colour: int
    dashed: bool = False
    kind: str = "circle"
    titles: Sequence[str] = ()


def line_chart(
    title: str,
    series: Sequence[Series],
    x: Axis,
    y: Axis,
    *,
    dots: bool = False,
    diagonal: bool = False,
) -> Markup:
    """Return lines in a frame.

    Args:
        title: what the chart shows.
        series: the lines.
        x: the axis below.
        y: the axis on the left.
        dots: mark the points of the lines.
        diagonal: draw the line on which both values are equal.
    """
    parts = frame(x, y)
    if diagonal:
        ends = dict(x1=x_place(x, x.low), y1=y_place(y, y.low), x2=x_place(x, x.high))
        parts.append(tag("line", class_="diagonal", y2=y_place(y, y.high), **ends))
    for one in series:
        places = [(x_place(x, a), y_place(y, b)) for a, b in one.points]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
        style = line_class(one.colour, dashed=one.dashed)
        parts.append(tag("polyline", points=path, class_=style))
        if dots or len(places) == 1:
            parts += [marker("circle", a, b, one.colour) for a, b in places]
    legend = [legend_entry(one.name, one.colour, dashed=one.dashed) for one in series]
    return chart(title, parts, legend)


def scatter_chart(title: str, series: Sequence[Series], x: Axis, y: Axis) -> Markup:
    """Return points in a frame."""
    parts = frame(x, y)
    for one in series:
        for (a, b), text in zip(one.points, one.titles, strict=True):
            parts.append(marker(one.kind, x_place(x, a), y_place(y, b), one.colour, text))
    return chart(title, parts, [legend_entry(one.name, one.colour, one.kind) for one in series])


def bar_chart(
    title: str, groups: Sequence[str], bars: Sequence[tuple[str, Sequence[float | None]]], y: Axis
) -> Markup:
    """Return groups of bars, with their values above them.

    Args:
        title: what the chart shows.
        groups: a text below each group.
        bars: a name and a value for each group; None is no bar.
        y: the axis on the left.
    """
    room = (WIDTH - LEFT - RIGHT) / max(len(groups), 1)
    width = min(0.8 * room / max(len(bars), 1), 34)
    parts = frame(None, y)
    for position, group in enumerate(groups):
        centre = LEFT + room * (position + 0.5)
        below = HEIGHT - BOTTOM + 15
        parts.append(tag("text", group, class_="tick", x=centre, y=below, text_anchor="middle"))
        left = centre - width * len(bars) / 2
        for number, (name, row) in enumerate(bars):
            parts += _bar(left + number * width, width, row[position], number, y, name)
    legend = [legend_entry(name, number, "fill") for number, (name, _) in enumerate(bars)]
    return chart(title, parts, legend, (WIDTH, HEIGHT - UNUSED))


def _bar(
    left: float, width: float, value: float | None, number: int, y: Axis, name: str
) -> list[Markup]:
    if value is None:
        return []
    top, zero = y_place(y, value), y_place(y, 0)
    text = f"{value:.1f}"
    bar = tag(
        "rect",
        tag("title", f"{name}: {text}"),
        x=left + 1,
        y=min(top, zero),
        width=width - 2,
        height=abs(zero - top),
        class_=f"fill c{number % COLOURS}",
    )
    if width < 16:  # no room for a number
        return [bar]
    x, y_text = left + width / 2, min(top, zero) - 4
    return [bar, tag("text", text, class_="value", x=x, y=y_text, text_anchor="middle")]


def stacked_bars(
    title: str, rows: Sequence[tuple[str, Sequence[float]]], parts: Sequence[tuple[str, str]]
) -> Markup:
    """Return horizontal bars of shares that add up to 100 %.

    Args:
        title: what the chart shows.
        rows: a name, and a share in percent for each part.
        parts: the name of each part, and its class in the style sheet.
    """
    bars = []
    for name, shares in rows:
        pieces = [
            tag(
                "span",
                f"{share:.1f}" if share >= 4 else "",
                class_=style,
                style=f"width:{share:.3f}%",
                title=f"{part}: {share:.1f} %",
            )
            for (part, style), share in zip(parts, shares, strict=True)
        ]
        spoken = ", ".join(
            f"{part} {share:.1f} %" for (part, _), share in zip(parts, shares, strict=True)
        )
        bars.append(
            tag(
                "div",
                tag("span", name, class_="row-name"),
                tag("div", pieces, class_="bar", role="img", aria_label=f"{name}: {spoken}"),
                class_="stacked",
            )
        )
    legend = [tag("span", tag("i", class_=f"swatch {style}"), part) for part, style in parts]
    caption = tag("figcaption", title)
    return tag("figure", caption, tag("div", legend, class_="legend"), bars, class_="wide")
