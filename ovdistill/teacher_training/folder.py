"""The folder of a teacher: configuration, tokenizer and weights, for ``OpenCLIPTeacher``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ovdistill.core.files import write_bytes
from ovdistill.core.tensor_files import write_tensor_file
from ovdistill.teacher.weights import CONFIG_NAME

WEIGHTS_NAME = "open_clip_model.safetensors"
PROVENANCE_NAME = "provenance.json"
LOG_NAME = "log.jsonl"
OTHER_SUFFIXES = (".safetensors", ".bin", ".pth", ".pt", ".ckpt", ".md", ".lock")


@dataclass(frozen=True)
class TeacherConfig:
    """What a teacher's folder states beside its weights.

    Attributes:
        name: the teacher's name.
        model_cfg: open_clip's configuration of the architecture.
        preprocess_cfg: open_clip's configuration of the input: mean, std, interpolation,
            resize_mode; what is left out has open_clip's defaults.
        files: the tokenizer's files, by name; none for open_clip's own tokenizer.
    """

    name: str
    model_cfg: Mapping[str, Any]
    preprocess_cfg: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write all of it into a folder."""
        content = dict(
            name=self.name,
            model_cfg=dict(self.model_cfg),
            preprocess_cfg=dict(self.preprocess_cfg),
        )
        write_bytes(folder / CONFIG_NAME, json.dumps(content, indent=2).encode() + b"\n")
        for name, data in self.files.items():
            write_bytes(folder / name, data)


def tokenizer_files(folder: Path) -> dict[str, bytes]:
    """Return the files of a teacher's folder that a tokenizer may read, by name."""
    others = (CONFIG_NAME, PROVENANCE_NAME, LOG_NAME)
    return {
        path.name: path.read_bytes()
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name not in others and path.suffix not in OTHER_SUFFIXES
    }


def write_weights(folder: Path, model: nn.Module, *, half: bool = False) -> Path:
    """Write the weights of an open_clip model into a teacher's folder.

    Args:
        folder: the folder.
        model: the model.
        half: matrices in float16.

    Returns:
        The file.
    """
    path = folder / WEIGHTS_NAME
    state = plain_state(model)
    if half:
        state = {
            name: value.half() if value.ndim >= 2 and value.is_floating_point() else value
            for name, value in state.items()
        }
    write_tensor_file(path, state, {"format": "pt"})
    return path


def plain_state(module: nn.Module) -> dict[str, Tensor]:
    """Return copies of a module's weights, on the CPU and contiguous, none sharing memory."""
    return {
        name: value.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        for name, value in module.state_dict().items()
    }
