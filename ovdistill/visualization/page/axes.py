"""The frame of a chart: from values to places, grid, ticks, labels, legend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ovdistill.visualization.page.markup import Content, Markup, tag

WIDTH, HEIGHT = 440, 300  # units of the drawing, which takes the width that there is
LEFT, RIGHT, TOP, BOTTOM = 46, 20, 16, 40
TICKS = 5  # about so many
LEAST_TICKS = 3
COLOURS = 8  # of series in the style sheet


@dataclass(frozen=True)
class Axis:
    """The values along a side of a chart.

    Attributes:
        label: what they are.
        low: the first.
        high: the last, above ``low``.
        log: equal steps are equal factors; ``low`` is positive.
    """

    label: str
    low: float
    high: float
    log: bool = False

    def share(self, value: float) -> float:
        """Return how far along the axis a value is, from 0 to 1."""
        low, high, value = (self._scaled(one) for one in (self.low, self.high, value))
        return (value - low) / (high - low)

    def ticks(self) -> list[float]:
        """Return round values along the axis."""
        if self.log:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)))
            for factors in ((1, 10), (1, 2, 5, 10), range(1, 11)):
                values = {factor * 10.0**power for power in powers for factor in factors}
                shown = sorted(value for value in values if self.low <= value <= self.high)
                if len(shown) >= LEAST_TICKS:
                    break
            return shown
        step = _round_step((self.high - self.low) / TICKS)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self.log else value


def axis_for(label: str, values: Sequence[float], *, log: bool = False) -> Axis:
    """Return an axis with room for values; one that is not logarithmic begins at 0 or below."""
    if log:
        least, most = min(values, default=1), max(values, default=1)
        return Axis(label, least / 1.5, most * 1.5, log=True)
    low, high = min(0.0, *values, 0.0), max(0.0, *values, 0.0)
    step = _round_step((high - low or 1.0) / TICKS)
    return Axis(label, step * math.floor(low / step), step * math.ceil((high or 1.0) / step))


def x_place(axis: Axis, value: float) -> float:
    """Return where a value lies from the left."""
    return LEFT + axis.share(value) * (WIDTH - LEFT - RIGHT)


def y_place(axis: Axis, value: float) -> float:
    """Return where a value lies from the top."""
    return HEIGHT - BOTTOM - axis.share(value) * (HEIGHT - TOP - BOTTOM)


def frame(x: Axis | None, y: Axis) -> list[Markup]:
    """Return grid, ticks and labels; without ``x`` the caller writes what stands below."""
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = []
    for value in y.ticks():
        place = y_place(y, value)
        parts += [
            tag("line", class_="grid", x1=LEFT, x2=right, y1=place, y2=place),
            tag("text", tick(value), class_="tick", x=LEFT - 6, y=place + 4, text_anchor="end"),
        ]
    middle = TOP + (bottom - TOP) / 2
    parts.append(
        tag("text", y.label, class_="label", transform=f"translate(11 {middle}) rotate(-90)")
    )
    if x is None:
        return parts
    for value in x.ticks():
        place = x_place(x, value)
        parts += [
            tag("line", class_="grid", x1=place, x2=place, y1=TOP, y2=bottom),
            tag("text", tick(value), class_="tick", x=place, y=bottom + 15, text_anchor="middle"),
        ]
    centre = (LEFT + right) / 2
    return [*parts, tag("text", x.label, class_="label", x=centre, y=HEIGHT - 6)]


def chart(
    title: str,
    drawing: Content,
    legend: Content = None,
    size: tuple[float, float] = (WIDTH, HEIGHT),
    **attributes: str,
) -> Markup:
    """Return a figure with a title, a drawing and a legend.

    Args:
        title: what it shows, also for those who cannot see it.
        drawing: elements of SVG.
        legend: see ``legend_entry``.
        size: width and height of the drawing.
        attributes: of the figure.
    """
    box = f"0 0 {size[0]:g} {size[1]:g}"
    svg = tag("svg", drawing, viewBox=box, role="img", aria_label=title)
    below = tag("div", legend, class_="legend") if legend else None
    return tag("figure", tag("figcaption", title), below, svg, **attributes)


def legend_entry(name: str, number: int, kind: str = "line", *, dashed: bool = False) -> Markup:
    """Return what a series looks like.

    Args:
        name: of the series.
        number: of its colour.
        kind: 'line', 'fill' or a marker: 'circle' or 'triangle'.
        dashed: of the line.
    """
    shapes = {
        "line": tag("line", x1=0, x2=22, y1=6, y2=6, class_=line_class(number, dashed=dashed)),
        "fill": tag("rect", x=4, y=0, width=14, height=12, class_=f"fill c{number % COLOURS}"),
    }
    shape = shapes[kind] if kind in shapes else marker(kind, 11, 6, number)
    swatch = tag("svg", shape, viewBox="0 0 22 12", class_="swatch", aria_hidden="true")
    return tag("span", swatch, name)


def line_class(number: int, *, dashed: bool = False) -> str:
    """Return the class of a line in the style sheet."""
    return f"line c{number % COLOURS}" + (" dashed" if dashed else "")


def marker(kind: str, x: float, y: float, number: int, title: str = "") -> Markup:
    """Return a circle or a triangle at a place; the title shows under the mouse."""
    inner = [tag("title", title)] if title else []
    style = f"dot c{number % COLOURS}"
    if kind == "triangle":
        corners = f"M{x:.1f} {y - 4.5:.1f}L{x + 4.3:.1f} {y + 3.3:.1f}L{x - 4.3:.1f} {y + 3.3:.1f}Z"
        return tag("path", *inner, d=corners, class_=style)
    return tag("circle", *inner, cx=round(x, 1), cy=round(y, 1), r=3.6, class_=style)


def tick(value: float) -> str:
    """Return a value as it stands at an axis."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.10g}"


def _round_step(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return power * next(factor for factor in (1, 2, 5, 10) if factor * power >= step * (1 - 1e-9))
