"""Which files of a folder are those of the published detector in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ovdistill.core.assets import ASSETS, STUDENT, STUDENT_CONFIG
from ovdistill.inference.published_files import published_files, remove_former

OF_TEACHER = {f"teacher/{path.name}" for path in (ASSETS / "teacher").iterdir()}
ALWAYS = {"model.safetensors", "README.md", "LICENSE"}
PARTS = {"adapter-0.safetensors", "embedding_map-0.safetensors"}
STRANGE = {"credentials.json", "train.py", "notes.md", "private/train.json", "teacher/key.json"}
STALE = {"adapter-1.safetensors", "teacher/sub/open_clip_config.json"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A published detector with a teacher of its own, among other files."""
    content = json.loads(STUDENT_CONFIG.read_text())
    content["teacher"] = {
        "model": "{config_folder}/teacher",
        "adapter": ["{config_folder}/adapter-0.safetensors"],
        "embedding_map": ["ovshapes-plain", "{config_folder}/embedding_map-0.safetensors"],
    }
    for name in (*ALWAYS, *OF_TEACHER, *PARTS, *STRANGE, *STALE):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "config.json").write_text(json.dumps(content))
    return tmp_path


def names(folder: Path, config: str = "config.json") -> list[str]:
    return [path.relative_to(folder).as_posix() for path in published_files(folder / config)]


def everything(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_files_that_a_config_needs_and_those_for_people(folder: Path) -> None:
    needed = {*ALWAYS, "config.json", *OF_TEACHER, *PARTS}
    assert {*names(folder)} == needed and names(folder)[-1] == "config.json"
    python = f"teacher = {json.loads((folder / 'config.json').read_text())['teacher']!r}"
    (folder / "config.py").write_text(python)
    assert {*names(folder, "config.py")} == {*needed, "config.py"} - {"config.json"}


def test_a_teacher_that_the_config_does_not_name_is_of_a_former_detector(folder: Path) -> None:
    (folder / "config.json").write_bytes(STUDENT_CONFIG.read_bytes())
    assert {*names(folder)} == {*ALWAYS, "config.json"}


def test_the_shipped_detector_is_all_of_its_folder() -> None:
    assert {*published_files(STUDENT_CONFIG)} == {*STUDENT.iterdir()}


def test_files_of_a_former_teacher_are_removed_and_nothing_else(folder: Path) -> None:
    remove_former(folder, {"config.json", "adapter-0.safetensors"})
    left = everything(folder)
    assert left == {
        "model.safetensors", "README.md", "config.json", "adapter-0.safetensors",
        *STRANGE, "teacher/sub/open_clip_config.json",
    }  # fmt: skip
    for name in ("teacher/key.json", "teacher/sub/open_clip_config.json"):
        (folder / name).unlink()
    (folder / "teacher" / "sub").rmdir()
    for name in OF_TEACHER:
        (folder / name).write_text("")
    remove_former(folder, {"config.json", *OF_TEACHER})
    assert OF_TEACHER <= everything(folder)
    remove_former(folder, {"config.json"})
    assert not (folder / "teacher").exists()
