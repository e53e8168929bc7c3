"""Where a trained detector is."""

from __future__ import annotations

from pathlib import Path

import huggingface_hub
import pytest

from ovdistill.core.assets import STUDENT
from ovdistill.core.errors import UserError
from ovdistill.inference.pretrained import find_detector


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).write_text("")
    return folder


def test_the_shipped_detector():
    files = find_detector()
    assert files.config == STUDENT / "config.json" and files.weights.is_file()
    assert files.vocabulary.is_file() and files.calibration.is_file()


def test_folders(tmp_path):
    published = tmp_path / "published"
    published.mkdir()
    with pytest.raises(UserError, match="nothing; expected config.json"):
        find_detector(published)
    touch(published, "config.json", "model.safetensors")
    assert find_detector(str(published)).vocabulary is None
    touch(published, "vocabulary.safetensors")
    assert find_detector(published).vocabulary == published / "vocabulary.safetensors"

    trained = tmp_path / "run"
    trained.mkdir()
    touch(trained, "vild_r18_shapes.py", "last.pth")
    assert find_detector(trained).weights == trained / "last.pth"
    with pytest.raises(UserError, match="vild_r18_shapes.py; expected config.json"):
        find_detector(trained, code=False)  # its config would be run
    touch(trained, "another.py")
    with pytest.raises(UserError, match="one config"):
        find_detector(trained)


def test_a_config_with_its_checkpoint(tmp_path):
    touch(tmp_path, "w.pth", "c.py")
    files = find_detector("vild_r18_shapes", tmp_path / "w.pth")
    assert files.config.name == "vild_r18_shapes.py"
    for arguments, message in (
        (("ovshapes", tmp_path / "w.pth"), "config too"),
        (("vild_r18_shapes", tmp_path / "none.pth"), "none.pth"),
        ((tmp_path / "c.py",), "alone"),
        (("no such thing",), "expected"),
    ):
        with pytest.raises(UserError, match=message):
            find_detector(*arguments)


def test_a_repository_of_the_hub(tmp_path, monkeypatch):
    touch(tmp_path, "config.json", "model.safetensors")
    asked = []

    def download(name: str, **options) -> str:
        asked.append((name, options["revision"]))
        patterns = options["allow_patterns"]
        assert not any("py" in pattern for pattern in patterns) and "LICENSE" in patterns
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert find_detector("user/detector", revision="v1").config.parent == tmp_path
    find_detector("user/detector-v1.5")
    assert asked == [("user/detector", "v1"), ("user/detector-v1.5", None)]
    for file in ("user/config.py", "user/config.json", "user/last.PTH", "user/w.safetensors"):
        with pytest.raises(UserError, match=file):
            find_detector(file)
    assert len(asked) == 2


def test_a_hub_that_cannot_be_reached(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UserError, match="user/no-such-detector"):
        find_detector("user/no-such-detector")
