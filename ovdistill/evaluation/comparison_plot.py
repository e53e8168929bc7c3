"""Plots a comparison of methods: novel against base box AP, with a name beside each point."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ovdistill.core.files import atomic_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.transforms import Transform

    from ovdistill.visualization.label_layout import Rectangle

BASE, NOVEL = "bbox/AP_base", "bbox/AP_novel"
# marker, colour and meaning of each kind of row
KINDS = {
    "trained": ("o", "#1d4ed8", "trained, the detector alone at test time"),
    "teacher": ("D", "#c2410c", "the teacher runs at test time"),
    "oracle": ("*", "#15803d", "all classes labelled"),
}
POINT = 4  # half the side of the square that labels keep off a point, in points of 1/72 inch


@dataclass(frozen=True)
class Point:
    """A row in the plot: its mean APs, their standard deviations, its title and its colour."""

    x: float
    y: float
    x_std: float
    y_std: float
    title: str
    colour: str


def plot_comparison(
    panels: Mapping[str, Sequence[dict[str, Any]]],
    path: Path,
    with_teacher: Container[str] = (),
) -> None:
    """Write a plot: a panel for each table, a point for each of its rows with standard deviations.

    Args:
        panels: ``rows`` of ``comparison.json``, by the title of their panel.
        path: the PNG file to write.
        with_teacher: names of rows that run the teacher at test time.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2 * len(panels), 6.4), dpi=130, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    all_axes = figure.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
    placed = []
    for axes, (title, rows) in zip(all_axes, panels.items(), strict=True):
        axes.set(title=title, xlabel="box AP, base classes", ylabel="box AP, novel classes")
        axes.grid(alpha=0.25)
        axes.margins(0.08)
        placed.append([_draw(axes, row, _kind(row, with_teacher)) for row in rows if _has(row)])
    markers = [all_axes[0].plot([], [], kind[0], color=kind[1])[0] for kind in KINDS.values()]
    meanings = [meaning for _, _, meaning in KINDS.values()]
    figure.legend(markers, meanings, loc="outside lower center", ncols=len(KINDS), fontsize=9)
    canvas.draw()  # positions in pixels are known from here on
    for axes, points in zip(all_axes, placed, strict=True):
        _label(canvas, axes, points)
    with atomic_file(path) as temporary:
        figure.savefig(temporary, format="png")


def _has(row: dict[str, Any]) -> bool:
    return all(row["summary"][key] is not None for key in (BASE, NOVEL))


def _kind(row: dict[str, Any], with_teacher: Container[str]) -> str:
    if row["name"].startswith("oracle"):
        return "oracle"
    return "teacher" if row["name"] in with_teacher else "trained"


def _draw(axes: Axes, row: dict[str, Any], kind: str) -> Point:
    """Draw the point of a row."""
    base, novel = row["summary"][BASE], row["summary"][NOVEL]
    marker, colour, _ = KINDS[kind]
    axes.errorbar(
        base["mean"],
        novel["mean"],
        xerr=base["std"],
        yerr=novel["std"],
        fmt=marker,
        color=colour,
        markersize=6,
        elinewidth=0.8,
        capsize=2,
    )
    x, y = base["mean"], novel["mean"]
    return Point(x, y, base["std"], novel["std"], row["title"], colour)


def _label(canvas: FigureCanvasAgg, axes: Axes, points: Sequence[Point]) -> None:
    """Write the title of each point beside it, where it hides no other point and no other title."""
    # it imports numpy, which the help of `compare` does without
    from ovdistill.visualization.label_layout import place_label

    renderer = canvas.get_renderer()
    frame = axes.get_window_extent()
    from matplotlib.transforms import Affine2D

    to_pixels = axes.transData + Affine2D().translate(-frame.x0, -frame.y0)
    half = renderer.points_to_pixels(POINT)
    # y grows upwards in a plot and downwards in an image; the layout does not mind
    own = [_around(p, half, to_pixels) for p in points]
    bars = [box for p in points for box in _bars(p, to_pixels)]
    taken: list[Rectangle] = []
    for box, point in zip(own, points, strict=True):
        text = axes.annotate(point.title, (point.x, point.y), fontsize=8, color=point.colour)
        extent = text.get_window_extent(renderer)
        others = [other for other in own if other is not box]
        size, room = (extent.width, extent.height), (frame.width, frame.height)
        # a point must stay as visible as a title
        place = place_label(
            _surround([box, *_bars(point, to_pixels)]), size, room, taken + others, bars
        )
        taken.append(place)
        x, y = to_pixels.inverted().transform(place[:2])
        text.set_position((x, y))
        _lead(axes, box, place, point, to_pixels)


def _surround(boxes: Sequence[Rectangle]) -> Rectangle:
    """Return the smallest rectangle around all."""
    left, low, right, high = zip(*boxes, strict=True)
    return min(left), min(low), max(right), max(high)


def _around(point: Point, half: float, to_pixels: Transform) -> Rectangle:
    x, y = to_pixels.transform((point.x, point.y))
    return x - half, y - half, x + half, y + half


def _bars(point: Point, to_pixels: Transform) -> list[Rectangle]:
    """Return the rectangles of a point's error bars, some pixels wide."""
    low = to_pixels.transform((point.x - point.x_std, point.y - point.y_std))
    high = to_pixels.transform((point.x + point.x_std, point.y + point.y_std))
    x, y = to_pixels.transform((point.x, point.y))
    return [(x - 6, low[1], x + 6, high[1]), (low[0], y - 6, high[0], y + 6)]


def _lead(axes: Axes, box: Rectangle, place: Rectangle, point: Point, to_pixels: Transform) -> None:
    """Draw a thin line from a point to its title where the title is not beside it."""
    middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    end = [min(max(middle[i], place[i]), place[i + 2]) for i in (0, 1)]
    if max(abs(end[i] - middle[i]) for i in (0, 1)) <= 1.5 * (box[2] - box[0]):
        return
    x, y = to_pixels.inverted().transform(end)
    axes.plot([point.x, x], [point.y, y], color=point.colour, linewidth=0.6, alpha=0.7)
