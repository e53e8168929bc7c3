"""Write a teacher as a folder that ``OpenCLIPTeacher`` loads, and that commands take as a model."""

from __future__ import annotations

import copy
import json
import os
import shutil
from pathlib import Path
from typing import Any

import open_clip
from huggingface_hub import try_to_load_from_cache

from ovdistill.core.errors import UserError
from ovdistill.core.files import atomic_folder, write_bytes
from ovdistill.core.json_files import read_json
from ovdistill.core.tensor_files import write_tensor_file
from ovdistill.teacher.open_clip_model import BPE_NAME, expand_model
from ovdistill.teacher.open_clip_teacher import OpenCLIPTeacher
from ovdistill.teacher.weights import CONFIG_NAME, HF_HUB, find_directory

WEIGHTS_NAME = "open_clip_model.safetensors"
# open_clip's own merges, and what Hugging Face's tokenizers write
TOKENIZERS = (BPE_NAME, "tokenizer*", "vocab*", "merges*", "special_tokens*", "*.model")


def write_teacher_folder(path: str | os.PathLike[str], teacher: OpenCLIPTeacher) -> None:
    """Write configuration, weights and tokenizer of a teacher, complete or not at all.

    Args:
        path: the folder; one that holds a teacher is replaced.
        teacher: with float32 weights.

    Raises:
        UserError: the folder holds anything else, or cannot be written.
    """
    path = Path(path)
    check_teacher_folder(path)
    directory = find_directory(expand_model(teacher.source))
    config = read_config(teacher) | {"name": teacher.name}
    state = {name: value.cpu().contiguous() for name, value in teacher.model.state_dict().items()}
    with atomic_folder(path) as folder:
        if directory is not None:
            _copy_tokenizer(directory, folder)
        elif hasattr(teacher.tokenizer, "save_pretrained"):  # one of Hugging Face
            teacher.tokenizer.save_pretrained(str(folder))
        write_bytes(folder / CONFIG_NAME, json.dumps(config, indent=2).encode() + b"\n")
        write_tensor_file(folder / WEIGHTS_NAME, state, {"format": "pt"})


def check_teacher_folder(path: Path) -> None:
    """Raise UserError if a folder holds anything but a teacher, which would be replaced."""
    if path.is_dir() and any(path.iterdir()) and not (path / CONFIG_NAME).is_file():
        raise UserError(
            f"{path} has files, but no teacher ({CONFIG_NAME} is missing); expected a new folder, "
            "or one that a teacher was written to: choose another path"
        )


def read_config(teacher: OpenCLIPTeacher) -> dict[str, Any]:
    """Return the configuration of a teacher in open_clip's form: model_cfg and preprocess_cfg."""
    model = expand_model(teacher.source)
    directory = find_directory(model)
    if directory is not None:
        return dict(read_json(directory / CONFIG_NAME, "configuration of the teacher"))
    if model.startswith(HF_HUB):  # fetched when the model was created
        cached = try_to_load_from_cache(model.removeprefix(HF_HUB), CONFIG_NAME)
        return dict(read_json(Path(str(cached)), "configuration of the teacher"))
    config = copy.deepcopy(open_clip.get_model_config(model.replace("/", "-")))
    kinds = {type(layer).__name__ for layer in teacher.model.modules()}
    if "QuickGELU" in kinds:  # which a tag of weights asks for, not the architecture
        config["quick_gelu"] = True
    keys = ("mean", "std", "interpolation", "resize_mode")
    preprocess = {key: teacher.model.visual.preprocess_cfg[key] for key in keys}
    return {"model_cfg": config, "preprocess_cfg": preprocess}


def _copy_tokenizer(source: Path, target: Path) -> None:
    for pattern in TOKENIZERS:
        for file in source.glob(pattern):
            shutil.copyfile(file, target / file.name)
