"""Read and write safetensors files; rows of large tensors are read by memory map."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from ovdistill.core.checksums import verify_tensors
from ovdistill.core.errors import UserError
from ovdistill.core.header_values import OBJECT, expect
from ovdistill.core.json_files import loads
from ovdistill.core.tensor_files import write_tensor_file


class MappedTensors:
    """Tensors of a file that are read in part: ``mapped[name][start:end]`` reads these rows only.

    Each process maps the file at its first access, because a mapping is of no use in another
    process. So an instance can be pickled, forked and sent to the workers of a data loader.

    Args:
        path: a file that ``read_header`` or ``read_index`` has checked.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._owner = -1
        self._slices: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if self._owner != os.getpid():
            file = safe_open(self.path, framework="pt")
            self._slices = {key: file.get_slice(key) for key in file.keys()}
            self._owner = os.getpid()
        return self._slices[name]

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "_owner": -1, "_slices": {}}


def read_header(
    path: str, expected: str, names: tuple[str, ...], fix: str
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read the header of a file that ``write_tensors`` has written, and some of its tensors.

    Args:
        path: the file.
        expected: its format.
        names: tensors to read as a whole.
        fix: what a user can do about a bad file.

    Returns:
        The header; the tensors, by name in the order of ``names``.

    Raises:
        UserError: no such file, damaged or incomplete (its checksum is compared), or of another
            format.
    """
    if not Path(path).is_file():
        raise UserError(f"no file {path!r} ({expected}); {fix}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != expected:
                found = metadata.get("format", "a file of another kind")
                raise UserError(f"{path!r} is {found}; expected {expected}; {fix}")
            verify_tensors(path, f"It can be made again: {fix}")
            header = loads(metadata["header"], f"the header of {path!r}")
            expect({"header": header}, "header", OBJECT)
            return header, {name: file.get_tensor(name) for name in names}
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise UserError(
            f"{path!r} ({expected}) is damaged or incomplete ({error}); {fix}"
        ) from error


def write_tensors(
    path: str | os.PathLike[str],
    tensors: Mapping[str, Tensor],
    file_format: str,
    header: dict[str, Any],
) -> None:
    """Write a safetensors file, complete or not at all.

    Args:
        path: the file.
        tensors: contiguous tensors, by name.
        file_format: name and version of the format, which ``read_header`` expects.
        header: plain JSON values.

    Raises:
        UserError: see ``atomic_file``.
    """
    write_tensor_file(path, tensors, {"format": file_format, "header": json.dumps(header)})
