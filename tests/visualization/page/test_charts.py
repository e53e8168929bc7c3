"""Charts: places of values, and SVG that is well formed."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from ovdistill.visualization.page.axes import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Axis,
    axis_for,
    x_place,
    y_place,
)
from ovdistill.visualization.page.charts import (
    Series,
    bar_chart,
    line_chart,
    scatter_chart,
    stacked_bars,
)
from ovdistill.visualization.page.matrix import matrix_chart

PERCENT = Axis("%", 0.0, 100.0)


def test_the_ends_of_an_axis_are_those_of_the_frame():
    assert x_place(PERCENT, 0) == LEFT and x_place(PERCENT, 100) == WIDTH - RIGHT
    assert y_place(PERCENT, 0) == HEIGHT - BOTTOM and y_place(PERCENT, 100) == TOP
    log = Axis("n", 1.0, 100.0, log=True)
    assert log.share(10) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([0.3, 0.97], [0, 0.2, 0.4, 0.6, 0.8, 1]),
        ([2500.0], [0, 500, 1000, 1500, 2000, 2500]),
        ([], [0, 0.2, 0.4, 0.6, 0.8, 1]),
        ([0.0], [0, 0.2, 0.4, 0.6, 0.8, 1]),
        ([-1.0, 1.0], [-1, -0.5, 0, 0.5, 1]),
    ],
)
def test_ticks_are_round(values, ticks):
    assert axis_for("", values).ticks() == pytest.approx(ticks)


@pytest.mark.parametrize("values", [[1, 10_000], [40, 60], [5], []])
def test_logarithmic_axes_have_ticks(values):
    axis = axis_for("", values, log=True)
    assert len(axis.ticks()) >= 3
    assert all(0 < axis.share(value) < 1 for value in values)


def test_charts_are_well_formed_and_speak():
    line = Series("<a>", [(0, 1), (50, 100)], 0, dashed=True)
    dots = Series("b", [(5, 1)], 1, kind="triangle", titles=['"t" & <u>'])
    charts = [
        line_chart("lines", [line], PERCENT, PERCENT, dots=True, diagonal=True),
        scatter_chart("dots", [dots], PERCENT, PERCENT),
        bar_chart("bars", ["x", "y"], [("one", [3.0, None]), ("two", [0.0, 5.0])], PERCENT),
        matrix_chart("matrix", ["a", "b"], ["a", "b", "(missed)"], [{0: 0.9, 2: 0.1}, {}], 1),
        stacked_bars("shares", [("run", [60.0, 40.0])], [("right", "right"), ("wrong", "p-other")]),
    ]
    for chart in charts:
        root = ElementTree.fromstring(chart)
        assert root.tag == "figure"
        spoken = [element.get("aria-label") for element in root.iter() if element.get("role")]
        assert spoken and all(spoken)
    (polyline,) = ElementTree.fromstring(charts[0]).iter("polyline")
    first = f"{x_place(PERCENT, 0):.1f},{y_place(PERCENT, 1):.1f}"
    assert polyline.get("points", "").startswith(first)
    assert "60.0 %" in charts[-1] and "width:60.000%" in charts[-1]


def test_bars_are_as_high_as_their_values():
    chart = bar_chart("", ["x"], [("a", [50.0]), ("b", [100.0])], PERCENT)
    heights = [
        float(bar.get("height", 0))
        for bar in ElementTree.fromstring(chart).iter("rect")
        if bar.find("title") is not None
    ]
    assert heights == pytest.approx([(HEIGHT - TOP - BOTTOM) / 2, HEIGHT - TOP - BOTTOM])
