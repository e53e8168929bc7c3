"""Write a refined teacher as an ordinary folder that ``OpenCLIPTeacher`` loads."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import open_clip
from open_clip.pretrained import get_pretrained_cfg
from open_clip.tokenizer import HFTokenizer

from ovdistill.core.files import write_json
from ovdistill.core.json_files import read_json
from ovdistill.teacher import OpenCLIPTeacher
from ovdistill.teacher.open_clip_model import expand_model
from ovdistill.teacher.weights import CONFIG_NAME, PREPROCESS_KEYS, find_directory
from ovdistill.teacher_training.folder import (
    PROVENANCE_NAME,
    TeacherConfig,
    tokenizer_files,
    write_weights,
)
from ovdistill.teacher_training.refine.refiner import Refiner


def stated_config(
    teacher: OpenCLIPTeacher, model: str, pretrained: str | None, name: str
) -> TeacherConfig:
    """Return what the folder of a teacher with other weights states.

    Args:
        teacher: built from ``model`` and ``pretrained``.
        model: see ``OpenCLIPTeacher``.
        pretrained: see ``OpenCLIPTeacher``.
        name: of the new teacher.
    """
    preprocess = teacher.model.visual.preprocess_cfg
    preprocess = {key: preprocess[key] for key in PREPROCESS_KEYS}
    directory = find_directory(expand_model(model))
    if directory is not None:
        stated = read_json(directory / CONFIG_NAME, "configuration of the teacher")
        files = tokenizer_files(directory)
        return TeacherConfig(name, stated["model_cfg"], preprocess, files)
    architecture = model.replace("/", "-")
    config: dict[str, Any] = open_clip.get_model_config(architecture)
    if pretrained and get_pretrained_cfg(architecture, pretrained).get("quick_gelu"):
        config["quick_gelu"] = True
    return TeacherConfig(name, config, preprocess, _saved_tokenizer(teacher.tokenizer))


def write_refined(refiner: Refiner, config: TeacherConfig, folder: Path) -> Path:
    """Write the teacher's folder, and delete the checkpoints.

    Args:
        refiner: it has made all its steps.
        config: what the folder states.
        folder: of the teacher.

    Returns:
        ``folder``.
    """
    config.write(folder)
    method = dict(method="CLIPSelf", teacher=str(refiner.teacher.id), **refiner.settings.to_dict())
    write_json(folder / PROVENANCE_NAME, {**method, "crops": refiner.policy.to_dict()})
    write_weights(folder, refiner.model, half=refiner.settings.training.half_weights)
    refiner.checkpoints.clear()
    return folder


def _saved_tokenizer(tokenizer: Any) -> dict[str, bytes]:
    """Return the files of one of Hugging Face's tokenizers; none for open_clip's own."""
    if not isinstance(tokenizer, HFTokenizer):
        return {}
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.tokenizer.save_pretrained(folder)
        return tokenizer_files(Path(folder))
