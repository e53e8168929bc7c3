"""Copies of a published detector."""

from __future__ import annotations

from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub.utils import filter_repo_objects

from ovdistill.core.assets import STUDENT
from ovdistill.core.errors import UserError
from ovdistill.inference.hub import copy_detector, push_detector
from ovdistill.inference.pretrained import DetectorFiles, find_detector


def test_a_copy_is_the_same_detector(tmp_path):
    copy_detector(find_detector(), tmp_path / "copy")
    copied = find_detector(tmp_path / "copy")
    names = {path.name for path in STUDENT.iterdir()}
    assert {path.name for path in (tmp_path / "copy").iterdir()} == names
    assert copied.weights.read_bytes() == find_detector().weights.read_bytes()
    with pytest.raises(UserError, match="expected another"):
        copy_detector(copied, tmp_path / "copy")


def test_a_copy_replaces_the_whole_detector(tmp_path):
    copy_detector(find_detector(), tmp_path / "new")
    (tmp_path / "new" / "calibration.json").unlink()
    old = tmp_path / "old"
    copy_detector(find_detector(), old)
    for name in ("LICENSE", "config.py", "notes.json"):
        (old / name).write_text("")
    copy_detector(find_detector(tmp_path / "new"), old)
    assert find_detector(old).calibration is None
    kept = {path.name for path in old.iterdir()} - {path.name for path in STUDENT.iterdir()}
    assert kept == {"notes.json"}
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "LICENSE").write_text("of no detector")
    copy_detector(find_detector(old), tmp_path / "mine")
    assert (tmp_path / "mine" / "LICENSE").exists()


def test_what_was_not_published_is_no_folder(tmp_path):
    files = DetectorFiles(Path("configs/vild_r18_shapes.py"), tmp_path / "last.pth")
    with pytest.raises(UserError, match="ovdistill publish"):
        copy_detector(files, tmp_path / "copy")


def test_an_upload_sends_what_a_detector_consists_of(monkeypatch, tmp_path):
    copy_detector(find_detector(), tmp_path)
    (tmp_path / "LICENSE").write_text("")
    for name in ("credentials.json", "private/train.json", "teacher/open_clip_config.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    sent = {}

    class Hub:
        def __init__(self, token: str | None) -> None:
            sent["token"] = token

        def create_repo(self, repo_id: str, **options) -> str:
            sent["repo"] = (repo_id, options["private"])
            return f"https://hub/{repo_id}"

        def upload_folder(self, **options) -> None:
            assert options["folder_path"] == tmp_path
            there = [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()]
            chosen = filter_repo_objects(there, allow_patterns=options["allow_patterns"])
            sent["names"] = {*chosen}
            former = ["LICENSE", "calibration.json", "teacher/x.json", "adapter-0.safetensors", "x"]
            gone = filter_repo_objects(former, allow_patterns=options["delete_patterns"])
            assert [*gone] == former[:-1]

    monkeypatch.setattr(huggingface_hub, "HfApi", Hub)
    monkeypatch.setattr("ovdistill.inference.hub.is_offline", lambda: False)
    address = push_detector(
        find_detector(tmp_path), "user/detector", private=True, token="t", message="first"
    )
    assert address == "https://hub/user/detector" and sent["repo"] == ("user/detector", True)
    assert sent["names"] == {*(path.name for path in STUDENT.iterdir()), "LICENSE"}


def test_without_a_network_an_upload_is_an_error(monkeypatch):
    monkeypatch.setattr("ovdistill.inference.hub.is_offline", lambda: True)
    with pytest.raises(UserError, match="switched off"):
        push_detector(find_detector(), "user/x", private=False, token=None, message="")
