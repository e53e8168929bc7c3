"""The content of mmengine's checkpoints as plain data, and back.

mmengine puts its log buffers into a checkpoint as objects, and reads a config that it finds there
as Python code. Here log buffers are pairs of tensors, and such a config is left out.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from torch import Tensor

LOGGER = logging.getLogger(__name__)
PLAIN = (str, bytes, int, float, bool, type(None), Tensor)
# what ``to_plain`` makes of a log buffer
VALUES, COUNTS, LENGTH = "log_values", "log_counts", "max_length"
HUB_PARTS = ("log_scalars", "runtime_info", "resumed_keys")


def to_plain(value: Any) -> Any:
    """Return a copy of what mmengine would save, made of tensors and plain data.

    Log buffers become dicts of tensors, arrays of numpy tensors, tuples stay tuples. Objects of
    other kinds become None, with a warning.
    """
    if isinstance(value, HistoryBuffer):
        values, counts = (
            torch.as_tensor(np.asarray(part, dtype=np.float64)) for part in value.data
        )
        return {VALUES: values, COUNTS: counts, LENGTH: value.max_length}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return torch.from_numpy(value.copy())
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, Mapping):
        return {to_plain(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        items = [to_plain(item) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    LOGGER.warning("%s is not saved in the checkpoint", type(value).__name__)
    return None


def for_mmengine(content: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a checkpoint in the form that mmengine takes.

    Log buffers are made again from tensors; those that mmengine itself has written as objects,
    which are not read, are left out. So is the entry ``config`` of ``meta``, which mmengine would
    run.
    """
    content = dict(content)
    meta = content.get("meta")
    if isinstance(meta, Mapping):
        content["meta"] = {key: value for key, value in meta.items() if key != "config"}
    if "message_hub" in content:
        content["message_hub"] = _hub(content["message_hub"])
    return content


def _hub(saved: Any) -> dict[str, Any]:
    """Return the state of a message hub, without what is not as ``to_plain`` makes it."""
    parts = [saved.get(name) if isinstance(saved, Mapping) else None for name in HUB_PARTS]
    scalars, info, resumed = (dict(part) if isinstance(part, Mapping) else {} for part in parts)
    buffers = {name: buffer for name, v in scalars.items() if (buffer := _buffer(v)) is not None}
    kept = info.get("keep_ckpt_ids")
    if kept is not None:  # numbers of files that mmengine deletes
        numbers = kept if isinstance(kept, (list, tuple)) else []
        info["keep_ckpt_ids"] = [number for number in numbers if type(number) is int]
    resumed = {name: bool(v) for name, v in resumed.items() if name in buffers or name in info}
    return dict(log_scalars=buffers, runtime_info=info, resumed_keys=resumed)


def _buffer(saved: Any) -> HistoryBuffer | None:
    """Return the log buffer of which ``to_plain`` has made ``saved``, or None."""
    if not isinstance(saved, Mapping) or {VALUES, COUNTS, LENGTH} - saved.keys():
        return None
    values, counts, length = saved[VALUES], saved[COUNTS], saved[LENGTH]
    if not (isinstance(values, Tensor) and isinstance(counts, Tensor) and isinstance(length, int)):
        return None
    if values.shape != counts.shape or values.ndim != 1:
        return None
    return HistoryBuffer(values.tolist(), counts.tolist(), length)
