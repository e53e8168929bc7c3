"""Instance masks in COCO's compressed run-length encoding (RLE)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from pycocotools import mask as coco_mask

if TYPE_CHECKING:  # the processes that draw OVShapes need no torch, which takes seconds to import
    from torch import Tensor

Rle = dict[str, Any]  # {"size": [height, width], "counts": bytes}


def encode_masks(masks: Tensor | np.ndarray | Sequence[Rle]) -> list[Rle]:
    """Return masks as RLEs; masks that are RLEs already are returned unchanged.

    Args:
        masks: (n, H, W) bool or 0/1, or a sequence of n RLEs.
    """
    if isinstance(masks, Sequence):
        return list(masks)
    if len(masks) == 0:
        return []
    if not isinstance(masks, np.ndarray) and masks.is_cuda:
        return coco_mask.encode(turn_masks(masks))
    array = masks if isinstance(masks, np.ndarray) else masks.numpy()
    return coco_mask.encode(np.asfortranarray(array.transpose(1, 2, 0), dtype=np.uint8))


def turn_masks(masks: Tensor) -> np.ndarray:
    """Return masks in the order in memory that RLEs count in, which they get on their device.

    On a CPU one thread moves the bytes of all masks for it, 92 MB of 300 masks of 640 x 480.

    Args:
        masks: (n, H, W) bool or 0/1.

    Returns:
        (H, W, n) uint8, mask by mask and column by column in memory.
    """
    import torch  # whoever has a tensor has imported it

    count, height, width = masks.shape
    columns = torch.empty((count, width, height), dtype=torch.uint8, device=masks.device)
    return columns.copy_(masks.transpose(1, 2)).cpu().numpy().transpose(2, 1, 0)


def decode_mask(segmentation: Sequence[Sequence[float]] | Rle, size: tuple[int, int]) -> np.ndarray:
    """Return a mask (H, W) bool of an annotation, of ``size`` H and W.

    Args:
        segmentation: polygons, as x and y in turn, or an RLE, whose counts may be a list, text or
            bytes.
        size: height and width of the image, in pixels.
    """
    return coco_mask.decode(to_rle(segmentation, size)).astype(bool)


def to_rle(segmentation: Sequence[Sequence[float]] | Rle, size: tuple[int, int]) -> Rle:
    """Return the mask of an annotation as a compressed RLE, see ``decode_mask``."""
    if not isinstance(segmentation, dict):
        return coco_mask.merge(coco_mask.frPyObjects(segmentation, *size))
    counts = segmentation["counts"]
    if isinstance(counts, list):
        return coco_mask.frPyObjects(segmentation, *size)
    return {"size": list(size), "counts": counts.encode() if isinstance(counts, str) else counts}


def rle_to_json(rle: Mapping[str, Any]) -> dict[str, Any]:
    """Return an RLE whose counts are text instead of bytes, so that JSON can hold it."""
    return {"size": list(rle["size"]), "counts": rle["counts"].decode("ascii")}
