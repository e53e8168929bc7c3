"""Instance masks in COCO's compressed run-length encoding (RLE)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask
from torch import Tensor

Rle = dict[str, Any]  # {"size": [height, width], "counts": bytes}, COCO's compressed form


def encode_masks(masks: Tensor | np.ndarray | Sequence[Rle]) -> list[Rle]:
    """Compress masks; masks that are compressed already pass through.

    Args:
        masks: (n, H, W) bool or 0/1, or a list of n RLEs.
    """
    if isinstance(masks, Tensor):
        masks = masks.cpu().numpy()
    if not isinstance(masks, np.ndarray):
        return list(masks)
    if len(masks) == 0:
        return []
    return coco_mask.encode(np.asfortranarray(masks.transpose(1, 2, 0), dtype=np.uint8))


def rle_to_json(rle: Mapping[str, Any]) -> dict[str, Any]:
    """Return an RLE with its counts as text, which JSON can hold."""
    return {"size": list(rle["size"]), "counts": rle["counts"].decode("ascii")}
