"""Draws detections: boxes, translucent masks, labels with scores, and a legend of the classes."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ovdistill.core.errors import UserError
from ovdistill.core.text import printable
from ovdistill.visualization.label_layout import Rectangle, overlap, place_label

Colour = tuple[int, int, int]  # RGB, 0-255
Entry = tuple[str, Colour | None, bool]  # text, colour of its swatch, whether it was found


class Drawable(Protocol):
    """n detections in an image, best first, such as ``inference.detections.Detections``."""

    @property
    def boxes(self) -> np.ndarray:
        """(n, 4) float, xyxy, absolute pixels of the image."""

    @property
    def scores(self) -> np.ndarray:
        """(n,) float in [0, 1]."""

    @property
    def labels(self) -> np.ndarray:
        """(n,) int, indices of classes."""

    @property
    def names(self) -> Sequence[str]:
        """The class name of each detection."""

    @property
    def masks(self) -> np.ndarray | None:
        """(n, H, W) bool, or None."""

    def __len__(self) -> int: ...


# Strong colours, well apart from one another on most images; further colours are computed.
PALETTE: tuple[Colour, ...] = (
    *((230, 57, 70), (29, 120, 216), (42, 157, 62), (255, 159, 28), (146, 64, 190)),
    *((0, 172, 178), (240, 98, 182), (128, 92, 56), (170, 190, 20), (70, 80, 150)),
)
MASK_OPACITY = 0.3
LONGEST_NAME = 200  # characters of a class name that are tried
LEGEND_LIMIT = 24  # classes; a longer legend shows only the classes that were found
INK, PAPER, GREY, ALARM = (33, 37, 41), (250, 250, 250), (134, 142, 150), (200, 30, 30)


def class_colour(index: int) -> Colour:
    """Return the colour of the class with this index, the same in every image."""
    if index < len(PALETTE):
        return PALETTE[index]
    # multiples of the golden ratio never repeat a hue
    hue = (index * 0.618034) % 1
    light = (0.42, 0.55, 0.34)[index % 3]
    red, green, blue = (round(255 * v) for v in colorsys.hls_to_rgb(hue, light, 0.75))
    return red, green, blue


def draw_detections(
    image: np.ndarray,
    detections: Drawable,
    class_names: Sequence[str],
    note: str = "",
    min_side: int = 640,
) -> np.ndarray:
    """Draw detections on an image, with a legend below it.

    Args:
        image: (H, W, 3) uint8 RGB.
        detections: boxes and masks in pixels of ``image``; ``labels`` are indices into
            ``class_names``.
        class_names: the classes that the legend lists; may be empty.
        note: a text below the legend, in red.
        min_side: an image whose longer side is shorter than this is enlarged by a whole factor
            first, in pixels.

    Returns:
        (H', W', 3) uint8 RGB, a new image.
    """
    factor = max(1, math.ceil(min_side / max(image.shape[:2])))
    size = (image.shape[1] * factor, image.shape[0] * factor)
    canvas = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC)).copy()
    unit = math.sqrt(size[0] * size[1]) / 640  # sizes below look right at 640 x 640 pixels
    for i in reversed(range(len(detections))):  # best on top
        if detections.masks is not None:
            colour = class_colour(detections.labels[i])
            _blend_mask(canvas, detections.masks[i], colour, factor, round(max(2, 2 * unit)))
    drawn = Image.fromarray(canvas)
    font = _load_font(max(15, round(17 * unit)))
    _draw_boxes(drawn, detections, factor, font, line=max(2, round(2 * unit)))
    legend = _draw_legend(size[0], detections, class_names, note, font)
    return np.concatenate([np.asarray(drawn), legend])


def _load_font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise UserError("this Pillow is built without FreeType, which labels need; install Pillow")
    return font


def _blend_mask(
    canvas: np.ndarray, mask: np.ndarray, colour: Colour, factor: int, line: int
) -> None:
    """Tint the pixels of a mask and draw its outline, in place."""
    shape = mask
    if factor > 1:  # enlarged with a smooth outline, without the steps of its pixels
        soft = cv2.resize(mask.astype(np.float32), canvas.shape[1::-1])
        shape = cv2.GaussianBlur(soft, (0, 0), factor / 2) > 0.5
    elif mask.shape != canvas.shape[:2]:  # of a very large image that was reduced
        shape = cv2.resize(mask.astype(np.uint8), canvas.shape[1::-1]) > 0
    tint = np.array(colour, dtype=np.float32) * MASK_OPACITY
    canvas[shape] = (canvas[shape] * (1 - MASK_OPACITY) + tint).astype(np.uint8)
    outlines, _ = cv2.findContours(shape.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(canvas, outlines, -1, colour, line, cv2.LINE_AA)


def _draw_boxes(
    drawn: Image.Image,
    detections: Drawable,
    factor: int,
    font: ImageFont.FreeTypeFont,
    line: int,
) -> None:
    pen = ImageDraw.Draw(drawn)
    right, bottom = drawn.width - 1, drawn.height - 1
    boxes: list[Rectangle] = [
        (
            min(max(x1, 0), right),
            min(max(y1, 0), bottom),
            min(max(x2, x1, 0), right),
            min(max(y2, y1, 0), bottom),
        )
        for x1, y1, x2, y2 in (detections.boxes * factor).tolist()
    ]
    colours = [class_colour(label) for label in detections.labels]
    for box, colour in reversed(list(zip(boxes, colours, strict=True))):
        pen.rectangle(box, outline=colour, width=line)
    _draw_labels(pen, drawn.size, boxes, colours, detections, font, line)


def _draw_labels(
    pen: ImageDraw.ImageDraw,
    size: tuple[int, int],
    boxes: list[Rectangle],
    colours: list[Colour],
    detections: Drawable,
    font: ImageFont.FreeTypeFont,
    line: int,
) -> None:
    """Write class name and score at each box, or beside it with a line to the box."""
    texts = [
        _fit(name, f" {score:.2f}", font, size[0] - font.size)
        for name, score in zip(detections.names, detections.scores, strict=True)
    ]
    areas: list[Rectangle] = []
    for i, (box, text) in enumerate(zip(boxes, texts, strict=True)):
        others = boxes[:i] + boxes[i + 1 :]
        areas.append(place_label(box, _label_size(font, text), size, areas, others))
    for area, box, colour in zip(areas, boxes, colours, strict=True):
        if not overlap((area[0] - 1, area[1] - 1, area[2] + 1, area[3] + 1), box):
            middle = ((area[0] + area[2]) / 2, (area[1] + area[3]) / 2)
            anchor = (min(max(middle[0], box[0]), box[2]), min(max(middle[1], box[1]), box[3]))
            pen.line([middle, anchor], fill=colour, width=line)
    for area, text, colour in zip(areas, texts, colours, strict=True):
        pen.rounded_rectangle(area, radius=font.size // 5, fill=colour)
        pen.text(_text_corner(area, font), text, fill=_ink_on(colour), font=font)


def _draw_legend(
    width: int,
    detections: Drawable,
    class_names: Sequence[str],
    note: str,
    font: ImageFont.FreeTypeFont,
) -> np.ndarray:
    """Return (h, width, 3) uint8: each class name with its colour and number of detections."""
    entries = _legend_entries(detections, class_names, font, width - 3 * font.size)
    pad, swatch, row = _legend_spacing(font)
    corners = _flow(entries, font, width)
    bottom = corners[-1][1] if corners else pad
    lines = _wrap(note, font, width - 2 * pad)
    strip = Image.new("RGB", (width, bottom + row * (1 + len(lines)) + pad // 2), PAPER)
    pen = ImageDraw.Draw(strip)
    for (text, colour, found), (x, y) in zip(entries, corners, strict=True):
        if colour:
            pen.rounded_rectangle((x, y + 2, x + swatch, y + 2 + swatch), swatch // 4, fill=colour)
            x += swatch + pad
        pen.text((x, y), text, fill=INK if found else GREY, font=font)
    for number, text in enumerate(lines, start=1):
        pen.text((pad, bottom + number * row), text, fill=ALARM, font=font)
    return np.asarray(strip)


def _legend_entries(
    detections: Drawable, class_names: Sequence[str], font: ImageFont.FreeTypeFont, room: float
) -> list[Entry]:
    """Return the entries of the legend, each at most ``room`` pixels wide."""
    total = len(class_names)
    counts = np.bincount(detections.labels, minlength=total)
    shown = [i for i in range(total) if total <= LEGEND_LIMIT or counts[i]]
    entries: list[Entry] = [
        (_fit(class_names[i], f" ({counts[i]})", font, room), class_colour(i), bool(counts[i]))
        for i in shown
    ]
    if rest := total - len(shown):
        entries.append((f"and {rest} classes that were not found", None, False))
    return entries


def _legend_spacing(font: ImageFont.FreeTypeFont) -> tuple[int, int, int]:
    """Return the padding, the side of a colour swatch and the height of a row, in pixels."""
    return int(font.size // 2), round(font.size), round(font.size * 1.7)


def _flow(
    entries: Sequence[Entry], font: ImageFont.FreeTypeFont, width: int
) -> list[tuple[float, int]]:
    """Return the upper left corner of each entry, row by row in ``width`` pixels."""
    pad, swatch, row = _legend_spacing(font)
    x: float = pad
    y = pad
    corners: list[tuple[float, int]] = []
    for text, colour, _ in entries:
        length = font.getlength(text) + (swatch + pad if colour else 0)
        if x > pad and x + length > width - pad:
            x, y = pad, y + row
        corners.append((x, y))
        x += length + 2 * pad
    return corners


def _wrap(text: str, font: ImageFont.FreeTypeFont, width: float) -> list[str]:
    """Break a text into lines of at most ``width`` pixels."""
    lines: list[str] = []
    for word in text.split():
        if lines and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _fit(name: str, tail: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    """Return ``name + tail``, with the name cut short to fit in ``width`` pixels.

    Line breaks and characters that cannot be drawn are shown as escapes.
    """
    name = printable(name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}...")
    if font.getlength(name + tail) <= width:
        return name + tail
    while name and font.getlength(f"{name}...{tail}") > width:
        name = name[:-1]
    return f"{name}...{tail}"


def _label_size(font: ImageFont.FreeTypeFont, text: str) -> tuple[float, float]:
    return math.ceil(font.getlength(text)) + font.size * 0.6, sum(font.getmetrics()) + 2


def _text_corner(area: Rectangle, font: ImageFont.FreeTypeFont) -> tuple[float, float]:
    return area[0] + font.size * 0.3, area[1] + 1


def _ink_on(colour: Colour) -> Colour:
    """Return black or white, whichever is easier to read on ``colour`` (Rec. 709 luma)."""
    luma = 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]
    return INK if luma > 150 else (255, 255, 255)
