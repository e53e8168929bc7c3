"""The folder of a published detector."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from ovdistill.core.assets import STUDENT_CONFIG
from ovdistill.inference.packing import About, pack_detector, write_config
from ovdistill.inference.pretrained import find_detector
from ovdistill.models.build import build_detector, load_weights
from ovdistill.models.config import load_config
from ovdistill.models.published_config import read_published
from ovdistill.vocabulary import Vocabulary

from ..batches import build, make_vocabulary

HOSTILE = '"""\nraise SystemExit\n{{ fileDirname }} \\N \u2028 {}'


def content(templates: Any = "single") -> dict[str, Any]:
    own = read_published(STUDENT_CONFIG)
    return own | dict(prepare=dict(vocabulary=dict(templates=templates)))


def test_a_detector_of_ours_is_data(tmp_path: Path) -> None:
    written = content([HOSTILE])
    assert write_config(tmp_path, written) == tmp_path / "config.json"
    assert read_published(tmp_path / "config.json") == written


def test_a_detector_with_own_parts_is_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "parts_of_mine.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    written = content([HOSTILE])
    written["model"]["backbone"]["type"] = "MyBackbone"
    assert write_config(tmp_path, dict(written), dict(imports=["parts_of_mine"])).suffix == ".py"
    config = load_config(tmp_path / "config.py").to_dict()
    assert config["custom_imports"] == dict(imports=["parts_of_mine"])
    assert all(config[key] == written[key] for key in ("model", "test_pipeline", "prepare"))


@pytest.mark.parametrize("recipe", ["vouch_r18_shapes", "hierkd_atss_r18_shapes"])
def test_what_a_folder_holds(recipe: str, tmp_path: Path) -> None:
    vocabulary = make_vocabulary(5)
    vocabulary.save(tmp_path / "vocabulary.safetensors")
    model = build(recipe, vocabulary)
    overrides = {"vocabulary": str(tmp_path / "vocabulary.safetensors")}
    about = About(recipe, {"bbox/AP_novel": 51.25, "bbox/AP": 60.0}, "Use it\nwell.\n")
    written = pack_detector(load_config(recipe, overrides), model, tmp_path / "out", about)
    assert written[-1].name == "config.json"  # last, so that no config names files in vain
    files = find_detector(tmp_path / "out")
    assert Vocabulary.load(files.vocabulary).names == vocabulary.names
    found = build_detector(load_config(files.config), files.weights, vocabulary)
    # what terms learned serves training alone
    names = {name for name in model.state_dict() if "distillers" not in name}
    assert names == set(found.state_dict()) != set(model.state_dict())
    load_weights(build(recipe, vocabulary), files.weights)  # its own config can be tested with them
    card = (tmp_path / "out" / "README.md").read_text()
    assert recipe in card and "| boxes | 60.0 | 51.2 |" in card and "license: other" in card
    assert (tmp_path / "out" / "LICENSE").read_text() == "Use it\nwell.\n"


def test_half_precision(tmp_path: Path) -> None:
    vocabulary = make_vocabulary(3)
    vocabulary.save(tmp_path / "vocabulary.safetensors")
    overrides = {"vocabulary": str(tmp_path / "vocabulary.safetensors")}
    config = load_config("vild_r18_shapes", overrides)
    model = build("vild_r18_shapes", vocabulary)
    whole, half = tmp_path / "whole", tmp_path / "half"
    pack_detector(config, model, whole, About("x", {}))
    pack_detector(config, model, half, About("x", {}), half=True)
    sizes = [(folder / "model.safetensors").stat().st_size for folder in (whole, half)]
    assert sizes[1] < 0.6 * sizes[0]
    found = build_detector(
        load_config(half / "config.json"), half / "model.safetensors", vocabulary
    )
    for name, value in found.state_dict().items():
        torch.testing.assert_close(value, model.state_dict()[name], atol=2e-3, rtol=2e-3)
