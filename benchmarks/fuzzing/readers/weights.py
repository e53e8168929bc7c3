"""Checkpoints: .pth files, which are pickles, and .safetensors files."""

from __future__ import annotations

import io
import re
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from safetensors.torch import save
from torch import Tensor

from ovdistill.core.checkpoints import read_weights

from ..mutate_checkpoints import mutate_checkpoint
from ..mutate_tensors import mutate_safetensors
from ..reader import Files, Reader


def _saved(content: Any, *, as_zip: bool = True) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, _use_new_zipfile_serialization=as_zip)
    return file.getvalue()


def use_weights(weights: dict[str, Tensor]) -> None:
    """Touch every value, which a damaged storage would not survive."""
    for name, value in weights.items():
        assert isinstance(name, str), name
        assert isinstance(value, Tensor), name
        if value.numel() < 10**6 and not value.is_sparse:
            str(value.detach().to(torch.float64).sum().item())


class CheckpointReader(Reader):
    """``read_weights`` of .pth files, as mmengine and ``torch.save`` write them."""

    name = "checkpoint"

    def seeds(self) -> Sequence[Files]:
        """Return a checkpoint of a training, weights alone, and weights in the older format."""
        weights = OrderedDict(weight=torch.ones(2, 3), bias=torch.zeros(2), count=torch.tensor(3))
        loss = HistoryBuffer([1.0, 0.5], [1, 1])
        training = {
            "meta": {"epoch": 1, "iter": 2, "cfg": "a = 1", "seed": 0},
            "state_dict": weights,
            "optimizer": {"state": {0: {"step": 2, "mean": torch.ones(2, 3)}}, "param_groups": []},
            "message_hub": {"log_scalars": {"loss": loss}, "runtime_info": {"best": np.float64(1)}},
        }
        older = _saved({"weight": weights["weight"]}, as_zip=False)
        # its name of a storage is an address in memory; the same seed has to be the same bytes
        older = re.sub(rb"X.\x00{3}\d{9,16}", b"X\x04\x00\x00\x001234", older, flags=re.DOTALL)
        return [{"input.pth": content} for content in (_saved(training), _saved(weights), older)]

    def mutate(self, files: Files, rng: Random) -> Files:
        """Change zip, pickle or bytes."""
        return {"input.pth": mutate_checkpoint(files["input.pth"], rng)}

    def read(self, folder: Path) -> None:
        """Read the weights and every value of them."""
        use_weights(read_weights(folder / "input.pth"))


class WeightsReader(Reader):
    """``read_weights`` of .safetensors files."""

    name = "weights"

    def seeds(self) -> Sequence[Files]:
        """Return two tensors."""
        weights = {"weight": torch.ones(2, 3), "bias": torch.zeros(2, dtype=torch.float16)}
        return [{"input.safetensors": save(weights, {"format": "pt"})}]

    def mutate(self, files: Files, rng: Random) -> Files:
        """Change header, tensors or bytes."""
        return {name: mutate_safetensors(content, rng) for name, content in files.items()}

    def read(self, folder: Path) -> None:
        """Read the weights and every value of them."""
        use_weights(read_weights(folder / "input.safetensors"))
