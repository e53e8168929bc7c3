"""Draws detections on the frames of a video: nothing jumps, and each frame keeps its size."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image

from ovdistill.visualization.drawable import Drawable
from ovdistill.visualization.drawing import draw_masks
from ovdistill.visualization.fonts import fit
from ovdistill.visualization.label_sides import LabelSides
from ovdistill.visualization.labels import chip_size, clipped_boxes, draw_boxes, draw_chips
from ovdistill.visualization.palette import ALARM, class_colour


class FrameDrawer:
    """Draws one frame after another.

    Unlike ``draw_detections`` it adds no legend, and writes labels in crowded frames too. The
    colour is that of the class, the side of a label and the hatch of a mask are those of the
    object, as long as it has a number.

    Args:
        note: a text at the bottom of each frame, on red.
    """

    def __init__(self, note: str = "") -> None:
        self.note = note
        self._sides = LabelSides()

    def draw(
        self, frame: np.ndarray, detections: Drawable, numbers: Sequence[int] = ()
    ) -> np.ndarray:
        """Draw the detections on a frame.

        Args:
            frame: (H, W, 3) uint8 RGB.
            detections: n detections, boxes in pixels of the frame.
            numbers: the number of each object, 0 for an object that has none; empty if none has.

        Returns:
            (H, W, 3) uint8 RGB, a new image.
        """
        numbers = numbers if len(numbers) else [0] * len(detections)
        canvas = frame.copy()
        size = (frame.shape[1], frame.shape[0])
        unit = math.sqrt(size[0] * size[1]) / 640  # as in ``draw_detections``
        font_size = max(13, round(15 * unit))
        colours = [class_colour(label) for label in detections.labels]
        rising = [number % 2 == 0 for number in numbers]
        draw_masks(canvas, detections, colours, unit, 0.0, rising)
        drawn = Image.fromarray(canvas)
        boxes = clipped_boxes(detections.boxes, size)
        line = max(2, round((2 if detections.masks is None else 1.3) * unit))
        draw_boxes(drawn, boxes, colours, line)
        lines = [
            fit(name, f" #{number} {score:.2f}" if number else f" {score:.2f}", font_size, size[0])
            for name, number, score in zip(
                detections.names, numbers, detections.scores, strict=True
            )
        ]
        areas = self._sides.place(boxes, [chip_size(line) for line in lines], numbers, size)
        # the best is on top
        draw_chips(drawn, areas[::-1], lines[::-1], colours[::-1])
        self._draw_note(drawn, font_size)
        return np.asarray(drawn)

    def _draw_note(self, drawn: Image.Image, font_size: int) -> None:
        if self.note:
            line = fit(self.note, "", font_size, drawn.width)
            width, height = chip_size(line)
            area = (0, drawn.height - height, width, drawn.height - 1)
            draw_chips(drawn, [area], [line], [ALARM])
