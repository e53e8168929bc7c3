"""Tensors of a safetensors file, read by memory map from any process."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.core.files import atomic_file


class MappedTensors:
    """Slices of a file's tensors; ``mapped[name][start:end]`` reads no more than these rows.

    The file is mapped at the first access of each process: a mapping's owner is the process that
    made it. So an instance can be pickled, forked and sent to data loader workers.

    Args:
        path: a file that ``read_header`` has checked.
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
    path: str, expected: str, whole: tuple[str, ...], fix: str
) -> tuple[dict[str, Any], dict[str, Tensor], dict[str, int]]:
    """Opens a store and checks that it is one.

    Args:
        path: the file.
        expected: its format.
        whole: tensors to read.
        fix: what a user can do about a bad file.

    Returns:
        The header; the tensors read; the number of rows of every tensor.

    Raises:
        UserError: no such file, damaged or incomplete, or of another format.
    """
    if not Path(path).is_file():
        raise UserError(f"no file {path!r} ({expected}); {fix}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != expected:
                found = metadata.get("format", "a file of another kind")
                raise UserError(f"{path!r} is {found}; expected {expected}; {fix}")
            rows = {name: file.get_slice(name).get_shape()[0] for name in file.keys()}
            return json.loads(metadata["header"]), {n: file.get_tensor(n) for n in whole}, rows
    except (SafetensorError, KeyError, json.JSONDecodeError) as error:
        raise UserError(
            f"{path!r} ({expected}) is damaged or incomplete ({error}); {fix}"
        ) from error


def write_tensors(
    path: str | os.PathLike[str], tensors: Mapping[str, Tensor], kind: str, header: dict[str, Any]
) -> Path:
    """Writes a store at once: it is there complete, or not at all.

    Args:
        path: the file.
        tensors: contiguous, by name.
        kind: the format.
        header: plain JSON values.

    Returns:
        ``path``.
    """
    with atomic_file(path) as temporary:
        save_file(dict(tensors), temporary, {"format": kind, "header": json.dumps(header)})
    return Path(path)
