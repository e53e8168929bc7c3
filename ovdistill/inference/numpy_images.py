"""Makes network inputs of images with numpy alone, as OpenCV and mmdet make them.

``OnnxDetector`` runs where neither is installed, and must see the same pixels.

Shapes: H x W pixels of an image, h x w after resizing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

ONE = 2048  # weights of OpenCV's bilinear resizing have 11 bits


def fitting_size(
    size: tuple[int, int], scale: tuple[int, int], *, keep_ratio: bool
) -> tuple[int, int]:
    """Return the h and w that ``OVResize`` gives an image.

    Args:
        size: H and W.
        scale: two sides that the image has to fit into; without ``keep_ratio`` its new w and h.
        keep_ratio: keep the ratio of the sides.
    """
    if not keep_ratio:
        return scale[1], scale[0]
    factor = min(max(scale) / max(size), min(scale) / min(size))
    height, width = (max(1, int(side * factor + 0.5)) for side in size)
    return height, width


def resize(image: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """Return a (H, W, 3) uint8 image as (h, w, 3), the same bits as ``cv2.resize`` gives.

    That is bilinear interpolation of integers with its rounding.

    Args:
        image: (H, W, 3) uint8.
        size: h and w.
    """
    height, width = size
    if image.shape[:2] == (height, width):
        return image
    columns, across = _weights(image.shape[1], width)
    at_edge = columns[0] == columns[1]
    across[:, at_edge] = np.array([[ONE], [0]])
    rows, down = _weights(image.shape[0], height)
    used, rows = np.unique(rows, return_inverse=True)  # a large image is read in few rows
    read = image[used]
    wide = np.multiply(read[:, columns[0]], across[0][:, None], dtype=np.int32)
    wide += np.multiply(read[:, columns[1]], across[1][:, None], dtype=np.int32)
    wide >>= 4
    above, below = (
        wide[own] * weight[:, None, None] >> 16
        for own, weight in zip(rows.reshape(2, height), down, strict=True)
    )
    return ((above + below + 2) >> 2).astype(np.uint8)


def _weights(old: int, new: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the two cells that each new cell lies between, (2, new), and their int32 weights."""
    place = ((np.arange(new) + 0.5) * (1 / (new / old)) - 0.5).astype(np.float32)
    first = np.floor(place).astype(np.int64)
    share = place - first.astype(np.float32)
    weights = np.rint(np.stack([1 - share, share]) * np.float32(ONE)).astype(np.int32)
    return np.stack([first, first + 1]).clip(0, old - 1), weights


def pad_images(images: Sequence[np.ndarray], divisor: int) -> np.ndarray:
    """Return images in one array, (N, h, w, 3) uint8, each in the top left.

    Args:
        images: (h_i, w_i, 3) uint8 each.
        divisor: h and w are the smallest multiples of it that hold all images.
    """
    sides = np.array([image.shape[:2] for image in images]).max(axis=0)
    height, width = -(-sides // divisor) * divisor
    padded = np.zeros((len(images), height, width, 3), dtype=np.uint8)
    for image, own in zip(images, padded, strict=True):
        own[: image.shape[0], : image.shape[1]] = image
    return padded
