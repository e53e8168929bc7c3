"""Half precision in testing: for convolutions and matrix products, and for nothing else.

Boxes and scores need more: in bfloat16, coordinates above 256 are even numbers. So every part of a
network hands out float32; RoIAlign, box arithmetic, suppression, embeddings and scores are in it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

# the parts of detectors that are called as modules, by their names in mmdet and here
PARTS = (
    *("backbone", "neck", "rpn_head"),
    *("bbox_head", "image_head", "mask_head", "quality_head"),
)


def half_dtype(device: torch.device) -> torch.dtype:
    """Return the half precision of a device: float16 on a GPU, bfloat16 on a CPU."""
    return torch.float16 if device.type == "cuda" else torch.bfloat16


def return_float32(model: nn.Module) -> None:
    """Let every part of a detector return float32, also under autocast."""
    for name, module in model.named_modules():
        if name.rpartition(".")[2] in PARTS:
            module.register_forward_hook(lambda _module, _inputs, outputs: _as_float32(outputs))


def _as_float32(value: Any) -> Any:
    """Return tensors, also those in tuples, lists and dicts, as float32 where they are floats."""
    if isinstance(value, Tensor):
        return value.float() if value.is_floating_point() else value
    if isinstance(value, tuple | list):
        return type(value)(_as_float32(one) for one in value)
    if isinstance(value, dict):
        return {key: _as_float32(one) for key, one in value.items()}
    return value
