"""The legend: classes, numbers, a note."""

from __future__ import annotations

import numpy as np

from ovdistill.inference.detections import Detections
from ovdistill.visualization.legend import Legend


def detections(labels: list[int]) -> Detections:
    n = len(labels)
    return Detections(
        np.zeros((n, 4), np.float32),
        np.linspace(0.9, 0.3, n, dtype=np.float32),
        np.array(labels, dtype=np.int64),
        tuple(f"class {label}" for label in labels),
    )


def texts(entries) -> list[str]:
    return [entry.line.text for entry in entries]


def test_classes_have_counts():
    legend, found = Legend(640, 15), detections([2, 0, 2])
    names = [f"class {i}" for i in range(3)]
    assert texts(legend.classes(found, names)) == ["class 0 (1)", "class 1 (0)", "class 2 (2)"]
    assert texts(legend.classes(found, names, found=False)) == ["class 1 (0)"]


def test_many_classes_that_were_not_found_are_one_line():
    names = [f"class {i}" for i in range(1203)]
    entries = Legend(640, 15).classes(detections([7, 1000]), names)
    assert texts(entries)[:2] == ["class 7 (1)", "class 1000 (1)"]
    assert len(entries) == 3 and "1201" in texts(entries)[2]
    assert len(Legend(640, 15).classes(detections([7]), names, found=False)) == 1


def test_numbers_have_names_and_scores():
    entries = Legend(640, 15).numbered(detections([2, 0]), [" 0.90", ""])
    assert texts(entries) == ["class 2 0.90", "class 0"]
    assert [entry.number for entry in entries] == [1, 2]


def test_entries_stay_on_the_paper_and_apart():
    legend = Legend(320, 15)
    found = detections([*range(40)])
    numbered = legend.numbered(found, [" 0.50"] * 40)
    strip = legend.draw(numbered, [])
    assert strip.shape[1] == 320
    assert 20 * legend.row < len(strip) < 41 * legend.row  # two columns or less
    ink = (strip != strip[0, 0]).any(axis=-1)
    assert not ink[:, -1].any() and not ink[:2].any() and not ink[-2:].any()
    rows = ink.any(axis=1)
    assert not rows[legend.pad + np.arange(1, 20) * legend.row - 2].any()  # between two rows


def test_nothing_to_say_is_no_strip():
    assert Legend(640, 15).draw([], []).shape == (0, 640, 3)
    assert len(Legend(640, 15).draw([], [], "a note")) > 15


def test_a_long_note_is_wrapped():
    legend = Legend(320, 15)
    note = legend.draw([], [], "word " * 50)
    assert len(note) > 5 * legend.row
    assert (note[:, -3:] == note[0, 0]).all()
