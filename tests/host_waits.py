"""Finds where a computation would wait for a GPU, on a machine without one."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

ROOT = Path(__file__).parents[1]
# what has a result of a size, or a Python number, that depends on values
WAITING = {
    "_local_scalar_dense", "_unique2", "bincount", "equal", "histc", "masked_select", "nonzero",
    "unique_consecutive", "unique_dim",
}  # fmt: skip


class HostWaits(TorchDispatchMode):
    """Counts the operations that would wait, by the line of this package that asks for them.

    An operation that mmdet or mmengine asks for is theirs, whoever calls them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if waits(func.overloadpacket.__name__, args):
            frame = sys._getframe(1)
            while "/torch/" in frame.f_code.co_filename and frame.f_back is not None:
                frame = frame.f_back
            path = Path(frame.f_code.co_filename)
            if ROOT / "ovdistill" in path.parents:
                self.found[f"{path.relative_to(ROOT)}:{frame.f_lineno}"] += 1
        return func(*args, **(kwargs or {}))


def waits(name: str, args: tuple[Any, ...]) -> bool:
    """Whether an operation would wait; indexing does where the index is a mask.

    A single value is written to the places of a mask without waiting.
    """
    if name not in ("index", "index_put", "index_put_"):
        return name in WAITING
    masks = [i for i in args[1] if i is not None and i.dtype in (torch.bool, torch.uint8)]
    return bool(masks) and (name == "index" or args[2].numel() > 1)
