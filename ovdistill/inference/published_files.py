"""The files of a published detector or segmentor, and of one that is replaced."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection
from pathlib import Path

from ovdistill.inference.pretrained import CARD, CONFIG, OPTIONAL, PYTHON_CONFIG, TEACHER, WEIGHTS
from ovdistill.teacher.teacher_folder import WEIGHTS_NAME, tokenizer_files
from ovdistill.teacher.weights import CONFIG_NAME

LOGGER = logging.getLogger(__name__)
# what a config, which may be Python, names in its own folder
IN_CONFIG_FOLDER = re.compile(r"\{config_folder\}/([\w.-]+)")
# what `ovdistill publish` calls the adapters and maps of a teacher
PARTS_OF_TEACHER = re.compile(r"(adapter|embedding_map)-\d+\.safetensors")


def published_files(config: Path) -> list[Path]:
    """Return the files of a published detector, those of its teacher too; the config last.

    Other files in the folder are not of it, whatever they are called.

    Args:
        config: its config.
    """
    folder = config.parent
    named = IN_CONFIG_FOLDER.findall(config.read_text(encoding="utf-8"))
    others = [name for name in OPTIONAL if name not in (CONFIG, PYTHON_CONFIG)]
    others += [name for name in named if name.endswith(".safetensors")]
    found = [folder / name for name in (WEIGHTS, *others, CARD)]
    if TEACHER in named:
        found += _files_of_teacher(folder / TEACHER)
    return [*(path for path in dict.fromkeys(found) if path.is_file()), config]


def remove_former(folder: Path, written: Collection[str]) -> None:
    """Remove the files of a detector that is replaced, such as its calibration.

    Args:
        folder: where a detector is to be published; it stays as it is if it has none.
        written: names in the folder of the files that the new detector has, such as
            "teacher/merges.txt", which replace those of the former.
    """
    if not (folder / WEIGHTS).is_file():
        return
    parts = [path for path in folder.iterdir() if PARTS_OF_TEACHER.fullmatch(path.name)]
    of_teacher = _files_of_teacher(folder / TEACHER)
    for path in [*(folder / name for name in OPTIONAL), *parts, *of_teacher]:
        if path.is_file() and path.relative_to(folder).as_posix() not in written:
            path.unlink()
            LOGGER.warning("removed %s, which belongs to the detector that is replaced", path)
    if of_teacher and not any((folder / TEACHER).iterdir()):
        (folder / TEACHER).rmdir()


def _files_of_teacher(folder: Path) -> list[Path]:
    """Return the files of which a teacher's folder consists; none if it is no such folder."""
    if not (folder / CONFIG_NAME).is_file():
        return []
    names = (CONFIG_NAME, WEIGHTS_NAME, *tokenizer_files(folder))
    return [folder / name for name in names]
