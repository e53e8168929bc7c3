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
from ovdistill.inference.pretrained import TEACHER
from ovdistill.teacher import OpenCLIPTeacher
from ovdistill.teacher.registry import NO_MAP
from ovdistill.teacher.teacher_folder import write_teacher_folder
from ovdistill.teacher.weights import HF_HUB, find_directory

HERE = "{config_folder}"
CHANGES = ("embedding_map", "adapter")


def pack_teacher(teacher: Mapping[str, Any], folder: Path) -> tuple[dict[str, Any], list[Path]]:
    """Write a teacher's own files into a folder.

    Args:
        teacher: of a config, see ``build_teacher``.
        folder: of a published detector.

    Returns:
        The teacher as the folder's config has to name it, and the files that were written.

    Raises:
        UserError: a map, an adapter or weights are not where the config says, or are damaged.
    """
    packed, written = dict(teacher), list[Path]()
    if _has_own_weights(teacher):
        names = ("model", "pretrained")
        own = OpenCLIPTeacher(**{name: packed.pop(name, None) for name in names})
        write_teacher_folder(folder / TEACHER, own)
        packed["model"] = f"{HERE}/{TEACHER}"
        written += sorted((folder / TEACHER).iterdir())
    for kind in CHANGES:
        given = packed.get(kind) or ()
        sources = [given] if isinstance(given, (str, Path)) else [*given]
        for index, source in enumerate(sources):
            if source not in (*EMBEDDING_MAPS, NO_MAP):
                if not Path(source).is_file():
                    raise UserError(
                        f"no file {source}, which teacher.{kind} of the config names; expected it "
                        f"to be there, to be packed: --cfg-options teacher.{kind}=FILE"
                    )
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
    if pretrained is not None and Path(pretrained).is_file():
        return True
    return not model.startswith(HF_HUB) and find_directory(model) is not None
