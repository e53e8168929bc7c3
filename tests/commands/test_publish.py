"""What `ovdistill publish` writes; tests/test_smoke.py publishes a trained detector."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ovdistill.commands.publish import write_config
from ovdistill.core.recipes import student_config
from ovdistill.models.config import load_config
from ovdistill.models.published_config import read_published

HOSTILE = '"""\nraise SystemExit\n{{ fileDirname }} \\N \u2028 {}'


def content(templates: Any = "single") -> dict[str, Any]:
    own = read_published(student_config())
    return own | dict(prepare=dict(vocabulary=dict(templates=templates)))


def test_a_detector_of_ours_is_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = content([HOSTILE])
    write_config(tmp_path, "own", written)
    assert [path.name for path in tmp_path.iterdir()] == ["own_config.json"]
    assert read_published(tmp_path / "own_config.json") == written
    assert "own_config.json" in capsys.readouterr().out


def test_a_detector_with_own_parts_is_python(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "parts_of_mine.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    written = content([HOSTILE])
    written["model"]["backbone"]["type"] = "MyBackbone"
    write_config(tmp_path, "own", dict(written), dict(imports=["parts_of_mine"]))
    config = load_config(tmp_path / "own_config.py").to_dict()
    assert config["custom_imports"] == dict(imports=["parts_of_mine"])
    assert all(config[key] == written[key] for key in ("model", "test_pipeline", "prepare"))
    assert "MyBackbone" in capsys.readouterr().out
