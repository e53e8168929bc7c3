"""What the formats need of detections: the image's size and pixels, full masks, class numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from ovdistill.core.errors import UserError
from ovdistill.inference.segmentation_result import resize_labels

if TYPE_CHECKING:
    from ovdistill.inference.detections import Detections


def size_of(detections: Detections) -> tuple[int, int]:
    """Return H and W of the original image.

    Raises:
        UserError: nothing says it.
    """
    if detections.image_size is None:
        raise UserError(
            "the size of the image is unknown, which this format needs: "
            "dataclasses.replace(detections, size=(height, width))"
        )
    return detections.image_size


def pixels_of(detections: Detections) -> np.ndarray:
    """Return the original image, (H, W, 3) uint8 RGB, which is read if only its path is known.

    Raises:
        UserError: neither image nor path is known, or the file cannot be read.
    """
    from ovdistill.core.images import read_image

    if detections.image is not None:
        return detections.image
    if detections.path is None:
        raise UserError(
            "the image of these detections is unknown: dataclasses.replace(detections, image=...) "
            "with (H, W, 3) uint8 RGB, or path=..."
        )
    return read_image(detections.path, detections.size)


def full_mask(mask: np.ndarray, size: tuple[int, int] | None) -> np.ndarray:
    """Return a mask in the size of the original image: as it is, or each pixel repeated.

    Args:
        mask: (h, w) bool, perhaps of an image that was reduced.
        size: H and W of the original image; None if it is that of the mask.

    Returns:
        (H, W) bool.
    """
    if size is None or mask.shape == tuple(size):
        return mask
    height, width = size
    return resize_labels(mask.T, (width, height)).T  # columns are in one piece, as RLEs count


def whole_pixels(boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return the smallest boxes of whole pixels that hold given boxes, cut off at the image.

    Args:
        boxes: (n, 4) float, xyxy, absolute pixels.
        size: H and W of the image.

    Returns:
        (n, 4) int, xyxy; x2 and y2 are the pixels after the last. At least one pixel each.
    """
    height, width = size
    first = np.floor(boxes[:, :2]).astype(int).clip(0, (width - 1, height - 1))
    last = np.ceil(boxes[:, 2:]).astype(int).clip(first + 1, (width, height))
    return np.concatenate([first, last], axis=1)


def check_masks(detections: Detections) -> None:
    """Raise UserError if detections have no masks."""
    if detections.masks is None:
        raise UserError("these detections have no masks: write their boxes, masks=False")


def class_numbers(
    detections: Detections, numbers: Mapping[str, int] | None, *, first: int = 0
) -> list[int]:
    """Return the number of each detection's class.

    Args:
        detections: n detections.
        numbers: the number of each name; by default they count the queries.
        first: the number of the first query.

    Raises:
        UserError: a name without a number.
    """
    if numbers is None:
        return [int(label) + first for label in detections.labels]
    if missing := set(detections.names).difference(numbers):
        raise UserError(f"got no number for {sorted(missing)}; there are those of {[*numbers]}")
    return [numbers[name] for name in detections.names]


def number_names(found: Iterable[Detections], *, first: int = 0) -> dict[str, int]:
    """Return a number for each name that was looked for or found in several images."""
    names = [name for one in found for name in (*one.queries, *one.names)]
    return {name: number for number, name in enumerate(dict.fromkeys(names), first)}
