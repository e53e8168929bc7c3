"""Draws detections on an image: outlines of masks, boxes, labels, and a legend below."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image

from ovdistill.core.errors import UserError
from ovdistill.visualization.drawable import Drawable
from ovdistill.visualization.fonts import fit
from ovdistill.visualization.labels import clipped_boxes, draw_boxes, draw_labels
from ovdistill.visualization.legend import Legend
from ovdistill.visualization.masks import draw_mask, enlarge_mask
from ovdistill.visualization.palette import PAPER, Colour, class_colour

MIN_SIDE = 640  # pixels, of the longer side of a drawing
NARROWEST_LEGEND = 320  # pixels; beside a narrower image the paper is empty


def draw_detections(
    image: np.ndarray,
    detections: Drawable,
    class_names: Sequence[str],
    note: str = "",
    min_side: int = MIN_SIDE,
    *,
    fill: float = 0.0,
    show_scores: bool = True,
) -> np.ndarray:
    """Draw detections on an image, with a legend below it.

    Full labels stand at the boxes where they hide neither one another nor other objects. In a
    crowded image small numbers stand there, which the legend explains.

    Args:
        image: (H, W, 3) uint8 RGB.
        detections: boxes and masks in pixels of ``image``; ``labels`` are indices into
            ``class_names``. Masks of fewer pixels are enlarged.
        class_names: the classes that the legend lists; may be empty.
        note: a text below the legend, in red.
        min_side: an image whose longer side is shorter than this is enlarged by a whole factor
            first, in pixels.
        fill: opacity of a tint of the masks, 0 to 1. At 0 objects keep their colours.
        show_scores: write the score behind each name.

    Returns:
        (H', W', 3) uint8 RGB, a new image.

    Raises:
        UserError: ``fill`` is out of range, or there is no font.
    """
    check_fill(fill)
    factor = enlargement(image, min_side)
    canvas = enlarged(image, factor)
    size = (canvas.shape[1], canvas.shape[0])
    unit = math.sqrt(size[0] * size[1]) / 640  # sizes below look right at 640 x 640 pixels
    font_size = max(13, round(15 * unit))
    colours = [class_colour(label) for label in detections.labels]
    rising = [i % 2 == 0 for i in range(len(detections))]
    draw_masks(canvas, detections, colours, unit, fill, rising)
    drawn = Image.fromarray(canvas)
    line = max(2, round((2 if detections.masks is None else 1.3) * unit))
    boxes = clipped_boxes(detections.boxes * factor, size)
    draw_boxes(drawn, boxes, colours, line)
    tails = [f" {score:.2f}" if show_scores else "" for score in detections.scores]
    names = zip(detections.names, tails, strict=True)
    labels = [fit(name, tail, font_size, math.inf) for name, tail in names]
    labelled = draw_labels(drawn, boxes, colours, labels, font_size)
    legend = Legend(max(size[0], NARROWEST_LEGEND), font_size)
    numbered = [] if labelled else legend.numbered(detections, tails)
    classes = legend.classes(detections, class_names, found=labelled)
    return stack_legend(np.asarray(drawn), legend.draw(numbered, classes, note))


def enlargement(image: np.ndarray, min_side: int = MIN_SIDE) -> int:
    """Return the whole factor that an image is enlarged by before it is drawn on."""
    return max(1, math.ceil(min_side / max(image.shape[:2])))


def check_fill(fill: float) -> None:
    """Raise UserError for an opacity that is none."""
    if not 0 <= fill <= 1:
        raise UserError(f"got fill={fill}; expected an opacity from 0 (none) to 1 (opaque)")


def enlarged(image: np.ndarray, factor: int) -> np.ndarray:
    """Return a new (H, W, 3) uint8 image whose sides are so many times as long."""
    size = (image.shape[1] * factor, image.shape[0] * factor)
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC)).copy()


def draw_masks(
    canvas: np.ndarray,
    detections: Drawable,
    colours: Sequence[Colour],
    unit: float,
    fill: float,
    rising: Sequence[bool],
) -> None:
    """Draw the masks, if there are any, in place; the best is on top.

    Args:
        canvas: (H, W, 3) uint8 RGB.
        detections: n detections.
        colours: one for each.
        unit: see ``draw_mask``.
        fill: see ``draw_mask``.
        rising: the direction of the hatch of each.
    """
    masks = detections.masks  # once: they may be packed
    if masks is None:
        return
    height, width = canvas.shape[:2]
    for i in reversed(range(len(detections))):
        mask = enlarge_mask(masks[i], (width, height))
        draw_mask(canvas, mask, colours[i], unit, fill, rising=rising[i])


def stack_legend(drawn: np.ndarray, strip: np.ndarray) -> np.ndarray:
    """Return an image with a strip below it that is as wide or wider, (h, w, 3) uint8 each."""
    if not len(strip):
        return drawn
    height, width = drawn.shape[:2]
    sheet = np.full((height + len(strip), strip.shape[1], 3), PAPER, dtype=np.uint8)
    sheet[:height, :width] = drawn
    sheet[height:] = strip
    return sheet
