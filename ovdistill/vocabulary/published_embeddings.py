"""Reads text embeddings that others published: a .npy file -> (W, D) float32 of unit norm.

Shapes: W class names, D embedding width.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from ovdistill.core.errors import UserError

LOGGER = logging.getLogger(__name__)


def read_array(source: str | os.PathLike[str]) -> np.ndarray:
    """Read a .npy file; one that needs pickle is refused.

    Raises:
        UserError: no such file, or a file that holds no single array.
    """
    try:
        # mapped, so that a header that claims a larger array than the file holds takes no memory
        array = np.load(source, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # what a damaged or crafted file raises is not foreseeable
        reason = str(error)[:200] or type(error).__name__
        raise UserError(
            f"cannot read embeddings from {os.fspath(source)!r} ({reason}); expected a .npy file "
            "with a (names, embed_dim) float array"
        ) from None
    if not isinstance(array, np.ndarray):
        raise UserError(f"{os.fspath(source)!r} is an archive; expected one array, a .npy file")
    return array


def embeddings_from_array(
    array: np.ndarray, names: Sequence[str], *, transposed: bool = False
) -> Tensor:
    """Bring an array of either orientation to one unit embedding for each class name.

    Args:
        array: (W, D) or (D, W) of float16, float32 or float64, of any norms. The side of length W
            is that of the names; a square array is taken as (W, D), with a warning.
        names: the W class names, in the order of the embeddings.
        transposed: the array is (D, W), which a square one does not show.

    Returns:
        (W, D) float32, unit norm.

    Raises:
        UserError: another dtype or shape, or an embedding that is zero or not finite.
    """
    got = f"an array of {array.dtype} {array.shape}"
    if array.ndim != 2 or array.dtype.kind != "f":
        raise UserError(f"{got}; expected (names, embed_dim) or (embed_dim, names) of floats")
    count = len(names)
    if count not in array.shape:
        raise UserError(
            f"{got} for {count} names; expected an embedding for each name, (names, "
            "embed_dim) or (embed_dim, names)"
        )
    square = array.shape[0] == array.shape[1]
    if square and not transposed:
        LOGGER.warning(
            "%s for %d names: each row is taken for a name; if each column is one: --transposed",
            got,
            count,
        )
    if transposed and array.shape[1] != count:
        raise UserError(f"{got} is not transposed for {count} names; take --transposed away")
    if transposed or array.shape[0] != count:
        array = array.T
    with np.errstate(over="ignore"):  # what is too large for float32 is infinite, see below
        rows = torch.from_numpy(array.astype(np.float32))
    norms = rows.norm(dim=1)
    if not (sound := torch.isfinite(norms) & (norms > 0)).all():
        row = int((~sound).nonzero()[0])
        raise UserError(
            f"embedding {row} ({names[row]!r}) of {got} is zero or not finite; expected an "
            "embedding for every name"
        )
    return normalize(rows, dim=1)
