"""COCO's compressed run-length encoding of a mask, in numpy, where pycocotools is not installed."""

from __future__ import annotations

import numpy as np


def encode_rle(mask: np.ndarray) -> dict[str, object]:
    """Return what ``pycocotools.mask.encode`` returns for an (H, W) bool mask, with text as counts.

    The runs of 0 and 1 in turn, column by column, are written as differences to the run before the
    last one, in characters of 5 bits each, the lowest first; a sixth bit says that more follow.

    Returns:
        ``size`` (H and W) and ``counts``, which JSON can hold.
    """
    pixels = mask.ravel(order="F").astype(bool)
    changes = (pixels[1:] != pixels[:-1]).nonzero()[0] + 1
    edges = np.concatenate([[0], changes, [pixels.size]])
    runs = np.diff(edges)
    if pixels.size and pixels[0]:
        runs = np.concatenate([[0], runs])
    values = runs.copy()
    values[3:] -= runs[1:-2]
    counts = "".join(map(_characters, values.tolist()))
    return {"size": list(mask.shape), "counts": counts}


def _characters(value: int) -> str:
    text = ""
    while True:
        low, value = value & 31, value >> 5
        more = value != (-1 if low & 16 else 0)
        text += chr((low | 32 if more else low) + 48)
        if not more:
            return text
