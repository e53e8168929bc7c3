"""Packs what a teacher consists of that is on this machine alone, into a published folder.

A model that is known by its name is left to whoever loads the folder. Weights of one's own, maps
behind them and adapters cannot be had elsewhere.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ovdistill.core.assets import EMBEDDING_MAPS
from ovdistill.core.errors import UserError
from ovdistill.core.files import atomic_file
from ovdistill.core.teacher_id import TeacherId
from ovdistill.inference.pretrained import TEACHER
from ovdistill.teacher import OpenCLIPTeacher
from ovdistill.teacher.open_clip_model import OVSHAPES
from ovdistill.teacher.registry import NO_MAP, teacher_name
from ovdistill.teacher.teacher_folder import write_teacher_folder
from ovdistill.teacher.weights import HF_HUB, find_directory

HERE = "{config_folder}"
CHANGES = ("embedding_map", "adapter")


def check_packed_teacher(teacher: Mapping[str, Any], expected: TeacherId) -> None:
    """Check a teacher's own files before anything is written.

    Args:
        teacher: of a config, see ``build_teacher``.
        expected: the teacher that the detector's vocabulary was made by.

    Raises:
        UserError: a map, an adapter or weights are not where the config says or are damaged, or
            make another teacher.
    """
    for kind in CHANGES:
        for source in _sources(teacher.get(kind)):
            if source not in (*EMBEDDING_MAPS, NO_MAP) and not Path(source).is_file():
                raise UserError(
                    f"no file {source}, which teacher.{kind} of the config names; expected it to "
                    f"be there, to be packed: --cfg-options teacher.{kind}=FILE"
                )
    name = teacher_name(teacher)  # reads maps and adapters
    if name is not None and name != expected.name and _own_files(teacher):
        raise UserError(
            f"the config's teacher is {name}, the detector was trained with {expected}; expected "
            "the same: --cfg-options teacher.adapter=FILE, teacher.embedding_map=FILE or "
            "teacher.model=DIR"
        )


def _own_files(teacher: Mapping[str, Any]) -> bool:
    """Return whether a part of a teacher is a file of this machine."""
    changes = [source for kind in CHANGES for source in _sources(teacher.get(kind))]
    return _has_own_weights(teacher) or bool({*changes} - {*EMBEDDING_MAPS, NO_MAP})


def _sources(given: Any) -> list[Any]:
    return [given] if isinstance(given, (str, Path)) else [*(given or ())]


def pack_teacher(teacher: Mapping[str, Any], folder: Path) -> tuple[dict[str, Any], list[Path]]:
    """Write a teacher's own files into a folder.

    Args:
        teacher: of a config, see ``build_teacher``.
        folder: of a published detector.

    Returns:
        The teacher as the folder's config has to name it, and the files that were written.

    Raises:
        UserError: weights that cannot be read, see ``check_packed_teacher`` for the rest.
    """
    packed, written = dict(teacher), list[Path]()
    if _has_own_weights(teacher):
        names = ("model", "pretrained")
        own = OpenCLIPTeacher(**{name: packed.pop(name, None) for name in names})
        write_teacher_folder(folder / TEACHER, own)
        packed["model"] = f"{HERE}/{TEACHER}"
        written += sorted((folder / TEACHER).iterdir())
    for kind in CHANGES:
        sources = _sources(packed.get(kind))
        for index, source in enumerate(sources):
            if source not in (*EMBEDDING_MAPS, NO_MAP):
                written.append(folder / f"{kind}-{index}.safetensors")
                with atomic_file(written[-1]) as temporary:
                    shutil.copyfile(source, temporary)
                sources[index] = f"{HERE}/{written[-1].name}"
                packed[kind] = sources
    return packed, written


def _has_own_weights(teacher: Mapping[str, Any]) -> bool:
    """Return whether a model of open_clip has its weights in a local folder or file."""
    if teacher.get("type", OpenCLIPTeacher.__name__) != OpenCLIPTeacher.__name__:
        return False
    model, pretrained = str(teacher.get("model", "")), teacher.get("pretrained")
    if model == OVSHAPES:
        return False
    if pretrained is not None and Path(pretrained).is_file():
        return True
    return not model.startswith(HF_HUB) and find_directory(model) is not None
