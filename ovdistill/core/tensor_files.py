"""Write safetensors files with a checksum, by which changed bits are found (``core.checksums``)."""

from __future__ import annotations

import os
from collections.abc import Mapping

from safetensors.torch import save_file
from torch import Tensor

from ovdistill.core.checksums import KEY, UNSET, seal
from ovdistill.core.files import atomic_file


def write_tensor_file(
    path: str | os.PathLike[str], tensors: Mapping[str, Tensor], metadata: Mapping[str, str]
) -> None:
    """Write a safetensors file, complete or not at all.

    Args:
        path: the file.
        tensors: contiguous tensors, by name.
        metadata: texts, to which the checksum is added.

    Raises:
        UserError: see ``atomic_file``.
    """
    with atomic_file(path) as temporary:
        save_file(dict(tensors), temporary, {**metadata, KEY: UNSET})
        seal(temporary)
