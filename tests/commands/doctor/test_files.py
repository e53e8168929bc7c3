"""The teachers and the data sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovdistill.commands.doctor.files import (
    check_cached_teachers,
    check_dataset,
    check_shipped_teacher,
)
from ovdistill.commands.doctor.finding import NOTE, OK, PROBLEM, Check


def make(folder: Path, *files: str) -> Path:
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    return folder


def test_teachers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_shipped_teacher(tmp_path).status == PROBLEM
    make(tmp_path, "open_clip_config.json", "open_clip_model.safetensors")
    assert check_shipped_teacher(tmp_path).status == OK

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    check = check_cached_teachers(tmp_path)
    assert check.status == NOTE and "HF_HUB_OFFLINE" in check.detail
    repository = tmp_path / "models--timm--clip.openai" / "snapshots" / "abc"
    repository.mkdir(parents=True)
    (repository / "open_clip_model.safetensors").symlink_to("unfinished")
    assert check_cached_teachers(tmp_path).status == NOTE
    make(repository, "unfinished")
    check = check_cached_teachers(tmp_path)
    assert check.status == OK and check.detail.startswith("timm/clip.openai")


def test_datasets(tmp_path: Path) -> None:
    check = check_dataset("lvis", tmp_path)
    assert check.detail == f"no folder {tmp_path}/lvis"
    assert check.fix.startswith(f"mkdir -p {tmp_path}/lvis && cd {tmp_path}/lvis && wget")
    make(tmp_path, "lvis/annotations/lvis_v1_train.json", "lvis/annotations/lvis_v1_val.json")
    check = check_dataset("lvis", tmp_path)
    assert check.status == NOTE
    assert check.detail == f"{tmp_path}/lvis has no train2017, val2017"
    make(tmp_path, "lvis/train2017/1.jpg", "lvis/val2017/1.jpg")
    assert check_dataset("lvis", tmp_path) == Check("data, lvis", OK, f"{tmp_path}/lvis")
