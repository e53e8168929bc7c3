"""What `ovdistill publish` writes; tests/test_smoke.py publishes a trained detector."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import save_file

from ovdistill.commands.publish import PublishOptions, publish, write_config
from ovdistill.core.assets import STUDENT_CONFIG
from ovdistill.models.build import build_detector
from ovdistill.models.config import load_config
from ovdistill.models.published_config import read_published

from ..batches import build, make_vocabulary

HOSTILE = '"""\nraise SystemExit\n{{ fileDirname }} \\N \u2028 {}'


def content(templates: Any = "single") -> dict[str, Any]:
    own = read_published(STUDENT_CONFIG)
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


@pytest.mark.parametrize("recipe", ["vouch_r18_shapes", "hierkd_atss_r18_shapes"])
def test_what_terms_learned_is_left_out(recipe: str, tmp_path: Path) -> None:
    vocabulary = make_vocabulary(5)
    vocabulary.save(tmp_path / "vocabulary.safetensors")
    model = build(recipe, vocabulary)
    save_file(
        {k: v.contiguous() for k, v in model.state_dict().items()}, tmp_path / "w.safetensors"
    )
    options = PublishOptions(
        config=recipe,
        checkpoint=str(tmp_path / "w.safetensors"),
        out=tmp_path / "out",
        cfg_options=(f"vocabulary={tmp_path / 'vocabulary.safetensors'}",),
    )
    publish(options)
    config = load_config(tmp_path / "out" / "student_config.json")
    found = build_detector(config, tmp_path / "out" / "student.safetensors", vocabulary)
    names = {name for name in model.state_dict() if "distillers" not in name}
    assert names == set(found.state_dict()) != set(model.state_dict())
