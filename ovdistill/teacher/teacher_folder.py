"""The folder of a teacher: configuration, tokenizer and weights.

``OpenCLIPTeacher`` loads it, and commands take it as a model.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import open_clip
import torch
from open_clip.tokenizer import HFTokenizer
from torch import Tensor, nn

from ovdistill.core.checkpoints import check_finite
from ovdistill.core.errors import UserError
from ovdistill.core.files import atomic_folder, write_bytes
from ovdistill.core.json_files import read_json
from ovdistill.core.tensor_files import write_tensor_file
from ovdistill.core.text import did_you_mean
from ovdistill.teacher.open_clip_model import expand_model, find_weights
from ovdistill.teacher.open_clip_teacher import OpenCLIPTeacher
from ovdistill.teacher.weights import (
    CONFIG_NAME,
    HF_HUB,
    PREPROCESS_KEYS,
    find_directory,
    pretrained_settings,
)
from ovdistill.teacher.weights_note import WeightsNote

WEIGHTS_NAME = "open_clip_model.safetensors"
PROVENANCE_NAME = "provenance.json"
# open_clip's own, and what Hugging Face's tokenizers are saved as
TOKENIZER_FILES = (
    *("*.txt.gz", "tokenizer*.json", "tokenizer.model", "vocab.*", "merges.txt", "*.model"),
    *("special_tokens_map.json", "added_tokens.json", "config.json", "chat_template.*"),
)
# of `ovdistill teacher adapt`, which may lie in a folder that is replaced
REPORTS = ("adaptation.json", "adaptation.md")


@dataclass(frozen=True)
class TeacherConfig:
    """What a teacher's folder states beside its weights.

    Attributes:
        name: the teacher's name.
        model_cfg: open_clip's configuration of the architecture.
        preprocess_cfg: open_clip's configuration of the input: mean, std, interpolation,
            resize_mode; what is left out has open_clip's defaults.
        files: the tokenizer's files, by name; none for open_clip's own tokenizer.
        note: what to know of the weights.
    """

    name: str
    model_cfg: Mapping[str, Any]
    preprocess_cfg: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    note: WeightsNote = WeightsNote()

    def write(self, folder: Path) -> None:
        """Write all of it into a folder, ``CONFIG_NAME``, which makes it a teacher, last."""
        content = dict(
            name=self.name,
            model_cfg=dict(self.model_cfg),
            preprocess_cfg=dict(self.preprocess_cfg),
            **self.note.to_dict(),
        )
        for name, data in self.files.items():
            write_bytes(folder / name, data)
        write_bytes(folder / CONFIG_NAME, json.dumps(content, indent=2).encode() + b"\n")


def config_of_model(model: str, pretrained: str | None) -> TeacherConfig:
    """Return what the folder of a known model states, or would state.

    Args:
        model: see ``OpenCLIPTeacher``.
        pretrained: see ``OpenCLIPTeacher``; weights may ask for QuickGELU, which the architecture
            does not have.

    Raises:
        UserError: an unknown architecture, or a folder without configuration.
    """
    model = expand_model(model)
    directory = find_directory(model)
    if directory is None and model.startswith(HF_HUB):
        weights = find_weights(model, None, random_weights=False)
        assert weights is not None  # random ones have none
        return TeacherConfig(model, **_stated(weights.parent))
    if directory is not None:
        return TeacherConfig(directory.name, **_stated(directory), files=tokenizer_files(directory))
    name = model.replace("/", "-")
    model_cfg = open_clip.get_model_config(name)
    if model_cfg is None:
        hint = did_you_mean(name, open_clip.list_models(), "see open_clip.list_models()")
        raise UserError(f"unknown architecture {model!r}; {hint}")
    # as ``create_model`` builds it
    if pretrained and pretrained_settings(name, pretrained).get("force_quick_gelu"):
        model_cfg["quick_gelu"] = True
    return TeacherConfig(name, model_cfg)


def config_of_teacher(teacher: OpenCLIPTeacher, name: str) -> TeacherConfig:
    """Return what the folder of a teacher with other weights states.

    Args:
        teacher: of the same architecture and preprocessing.
        name: of the new teacher.
    """
    stated = config_of_model(teacher.source, teacher.pretrained)
    preprocess = teacher.model.visual.preprocess_cfg
    return replace(
        stated,
        name=name,
        preprocess_cfg={key: preprocess[key] for key in PREPROCESS_KEYS},
        files=stated.files or saved_tokenizer(teacher.tokenizer),
        note=WeightsNote(teacher.random, teacher.refined_for),
    )


def write_teacher_folder(path: str | os.PathLike[str], teacher: OpenCLIPTeacher) -> None:
    """Write configuration, weights and tokenizer of a teacher, complete or not at all.

    Args:
        path: the folder; one that holds a teacher is replaced.
        teacher: with float32 weights.

    Raises:
        UserError: the folder holds anything else or cannot be written, or weights are not finite.
    """
    path = Path(path)
    check_teacher_folder(path)
    config = config_of_teacher(teacher, teacher.name)  # read before the folder is replaced
    with atomic_folder(path) as folder:
        config.write(folder)
        write_weights(folder, teacher.model)


def check_teacher_folder(path: Path) -> None:
    """Raise UserError if a folder holds anything but a teacher, which would be replaced."""
    if not path.is_dir():
        return
    names = sorted(own.name for own in path.iterdir())
    if names and CONFIG_NAME not in names:
        raise UserError(
            f"{path} has files, but no teacher ({CONFIG_NAME} is missing); expected a new folder, "
            "or one that a teacher was written to: choose another path"
        )
    others = [name for name in names if name not in REPORTS and not is_teacher_file(name)]
    if others:
        raise UserError(
            f"{path} holds more than a teacher ({', '.join(others)[:200]}), which would be lost; "
            "choose another path"
        )


def write_weights(folder: Path, model: nn.Module, *, half: bool = False) -> Path:
    """Write the weights of an open_clip model into a teacher's folder.

    Args:
        folder: the folder.
        model: the model.
        half: matrices in float16.

    Returns:
        The file.

    Raises:
        UserError: a weight is not finite.
    """
    path = folder / WEIGHTS_NAME
    state = plain_state(model)
    check_finite(state, "the weights of the teacher")
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


def tokenizer_files(folder: Path) -> dict[str, bytes]:
    """Return the files of a teacher's folder that a tokenizer reads, by name."""
    return {
        path.name: path.read_bytes()
        for path in sorted(folder.iterdir())
        if path.is_file() and _is_of_tokenizer(path.name)
    }


def is_teacher_file(name: str) -> bool:
    """Return whether a file of this name belongs to a teacher: its tokenizer's are known by name.

    Args:
        name: of a file in a teacher's folder.
    """
    return name in (CONFIG_NAME, WEIGHTS_NAME, PROVENANCE_NAME) or _is_of_tokenizer(name)


def _is_of_tokenizer(name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in TOKENIZER_FILES)


def saved_tokenizer(tokenizer: Any) -> dict[str, bytes]:
    """Return the files of one of Hugging Face's tokenizers; none for open_clip's own."""
    if not isinstance(tokenizer, HFTokenizer):
        return {}
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.tokenizer.save_pretrained(folder)
        return tokenizer_files(Path(folder))


def _stated(folder: Path) -> dict[str, Any]:
    """Return ``model_cfg`` and ``preprocess_cfg`` of a folder's configuration."""
    path = folder / CONFIG_NAME
    stated = read_json(path, "configuration of the teacher")
    if not isinstance(stated, dict) or "model_cfg" not in stated:
        raise UserError(f"{path} has no model_cfg; expected open_clip's configuration of a model")
    return dict(model_cfg=stated["model_cfg"], preprocess_cfg=stated.get("preprocess_cfg", {}))
