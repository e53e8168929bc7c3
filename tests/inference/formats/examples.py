"""Detections with masks that are hard to write: rings, parts, thin lines, reduced images."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ovdistill.inference.detections import Detections

QUERIES = ("red star", '<a & "b">\nnew line', "../outlined/heart")
HEIGHT, WIDTH = 90, 130


def shapes(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """(4, H, W) bool: a ring, two parts with a hole in one, a slanted line, a block at the edge."""
    masks = np.zeros((4, height, width), np.uint8)
    cv2.circle(masks[0], (40, 40), 25, 1, thickness=4)
    cv2.rectangle(masks[1], (60, 10), (90, 40), 1, thickness=-1)
    cv2.circle(masks[1], (75, 25), 8, 0, thickness=-1)
    cv2.circle(masks[1], (110, 60), 12, 1, thickness=-1)
    cv2.line(masks[2], (5, 80), (100, 50), 1, thickness=2)
    masks[3, 70:, 120:] = 1
    return masks.astype(bool)


def boxes_of(masks: np.ndarray) -> np.ndarray:
    """(n, 4) float32, close to the masks, at fractions of pixels."""
    boxes = []
    for mask in masks:
        y, x = np.nonzero(mask)
        boxes.append([x.min() + 0.25, y.min() + 0.125, x.max() + 0.75, y.max() + 1])
    return np.array(boxes, np.float32).reshape(-1, 4)


def detections(
    n: int = 4, *, path: str | None = "photos/a b.jpg", masks: bool = True
) -> Detections:
    """The first n shapes, in an image of random pixels."""
    found = shapes()[:n]
    labels = np.arange(n) % len(QUERIES)
    return Detections(
        boxes_of(found),
        np.linspace(0.9, 0.3, n, dtype=np.float32),
        labels,
        tuple(QUERIES[label] for label in labels),
        found if masks else None,
        (HEIGHT, WIDTH),
        queries=QUERIES,
        image=np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8),
        path=path,
    )


def reduced(factor: int = 3) -> Detections:
    """The same shapes in an image that was reduced by a whole factor before."""
    return detections().moved((HEIGHT, WIDTH), (HEIGHT * factor, WIDTH * factor))


def iou(first: np.ndarray, second: np.ndarray) -> float:
    return np.count_nonzero(first & second) / np.count_nonzero(first | second)


def image_file(folder: Path, found: Detections, name: str = "a b.png") -> str:
    """Write the image, and return its path."""
    from ovdistill.core.images import write_image

    write_image(folder / name, found.image)
    return str(folder / name)
