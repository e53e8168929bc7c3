"""Draws the legend below an image: its classes, or its numbered detections, and a note."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from ovdistill.visualization.drawable import Drawable
from ovdistill.visualization.fonts import Line, draw_line, fit, lay_out, wrap
from ovdistill.visualization.labels import draw_chip, tag
from ovdistill.visualization.palette import ALARM, GREY, INK, PAPER, Colour, class_colour

LONGEST = 24  # classes; a longer legend shows only the classes that were found


@dataclass(frozen=True)
class Entry:
    """A line of the legend.

    Attributes:
        line: its text.
        colour: of the swatch before it; None for no swatch.
        number: that stands on the swatch; None for no number.
        ink: of the text.
    """

    line: Line
    colour: Colour | None = None
    number: int | None = None
    ink: Colour = INK


class Legend:
    """A strip of paper below an image.

    Args:
        width: of the strip, in pixels.
        font_size: of its text, in pixels.
    """

    def __init__(self, width: int, font_size: int) -> None:
        self.width = width
        self.font_size = font_size
        self.pad = font_size // 2
        self.row = round(font_size * 1.7)
        self.swatch = (round(font_size * 1.8), round(font_size * 1.2))

    def classes(
        self, detections: Drawable, class_names: Sequence[str], *, found: bool = True
    ) -> list[Entry]:
        """Return an entry for each class, with the number of its detections.

        Args:
            detections: ``labels`` are indices into ``class_names``.
            class_names: of more than ``LONGEST`` classes, those that were not found are counted.
            found: whether classes that were found have an entry.
        """
        total = len(class_names)
        counts = np.bincount(detections.labels, minlength=total)
        shown = [i for i in range(total) if (found if counts[i] else total <= LONGEST)]
        entries = [
            Entry(
                self._fit(class_names[i], f" ({counts[i]})"),
                class_colour(i),
                ink=INK if counts[i] else GREY,
            )
            for i in shown
        ]
        if rest := total - np.count_nonzero(counts[:total]) if total > LONGEST else 0:
            text = f"and {rest} classes that were not found"
            entries.append(self.plain(text))
        return entries

    def plain(self, text: str) -> Entry:
        """Return an entry without a swatch, in grey."""
        return Entry(lay_out(text, self.font_size), ink=GREY)

    def numbered(self, detections: Drawable, tails: Sequence[str]) -> list[Entry]:
        """Return an entry for each detection: its number, and its name with a tail, the score."""
        return self.numbered_names(detections.names, tails, detections.labels)

    def numbered_names(
        self, names: Sequence[str], tails: Sequence[str], labels: Iterable[int]
    ) -> list[Entry]:
        """Return an entry for each name: its number from 1 on, in its colour, and a tail.

        Args:
            names: of the entries.
            tails: a text behind each name.
            labels: indices of the classes, which determine the colours.
        """
        labelled = zip(names, tails, labels, strict=True)
        return [
            Entry(self._fit(name, tail), class_colour(label), number)
            for number, (name, tail, label) in enumerate(labelled, start=1)
        ]

    def draw(
        self, numbered: Sequence[Entry], classes: Sequence[Entry], note: str = ""
    ) -> np.ndarray:
        """Draw numbered entries in columns, then classes in rows, then a note in red.

        Returns:
            (h, width, 3) uint8 RGB; h is 0 if there is nothing to draw.
        """
        corners = self._columns(numbered)
        corners += self._rows(classes, self._below(corners))
        bottom = self._below(corners)
        lines = wrap(note, self.font_size, self.width - 2 * self.pad)
        if not corners and not lines:
            return np.zeros((0, self.width, 3), dtype=np.uint8)
        strip = Image.new(
            "RGB", (self.width, bottom + self.row * len(lines) + self.pad // 2), PAPER
        )
        for entry, corner in zip([*numbered, *classes], corners, strict=True):
            self._draw_entry(strip, entry, corner)
        for number, line in enumerate(lines):
            draw_line(strip, self.pad, bottom + number * self.row + line.ascent, line, ALARM)
        return np.asarray(strip)

    def _below(self, corners: Sequence[tuple[float, int]]) -> int:
        """Return where the next row begins."""
        return max((y + self.row for _, y in corners), default=self.pad)

    def _fit(self, name: str, tail: str) -> Line:
        return fit(name, tail, self.font_size, self.width - 3 * self.pad - self.swatch[0])

    def _length(self, entry: Entry) -> float:
        return entry.line.width + (self.swatch[0] + self.pad if entry.colour else 0)

    def _rows(self, entries: Sequence[Entry], y: int) -> list[tuple[float, int]]:
        """Return the upper left corner of each entry, row by row from ``y`` on."""
        x = float(self.pad)
        corners: list[tuple[float, int]] = []
        for entry in entries:
            length = self._length(entry)
            if x > self.pad and x + length > self.width - self.pad:
                x, y = self.pad, y + self.row
            corners.append((x, y))
            x += length + 2 * self.pad
        return corners

    def _columns(self, entries: Sequence[Entry]) -> list[tuple[float, int]]:
        """Return the upper left corner of each entry, in as many columns as there is room for."""
        step = max(map(self._length, entries), default=0) + 2 * self.pad
        count = max(1, int((self.width - self.pad) // step))
        rows = -(-len(entries) // count)
        return [
            (self.pad + i // rows * step, self.pad + i % rows * self.row)
            for i in range(len(entries))
        ]

    def _draw_entry(self, strip: Image.Image, entry: Entry, corner: tuple[float, int]) -> None:
        x, y = corner
        if entry.colour:
            width, height = self.swatch
            area = (x, y, x + width, y + height)
            if entry.number is None:
                radius = height // 4
                ImageDraw.Draw(strip).rounded_rectangle(area, radius, fill=entry.colour)
            else:
                draw_chip(strip, area, tag(entry.number, self.font_size), entry.colour)
            x += width + self.pad
        top = y + (self.swatch[1] - entry.line.height) / 2
        draw_line(strip, x, top + entry.line.ascent, entry.line, entry.ink)
