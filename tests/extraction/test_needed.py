"""Whatever a training starts from is looked for before anything begins, and named all at once."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from ovdistill.commands import main
from ovdistill.core.assets import TEACHER_DIR
from ovdistill.core.errors import UserError
from ovdistill.extraction.needed import check_needed, fetch_weights
from ovdistill.models.config import load_config

RECIPE = "vild_r50_coco"
PARTS = [
    r"instances_train2017\.json",
    r"teacher weights ViT-B-32-quickgelu:openai: not in .*huggingface\.co/timm",
    r"ovdistill train .*rpn_r50_coco",
    r"resnet50-\w+\.pth.*model\.backbone\.init_cfg\.checkpoint=PATH",
    r"ovdistill prepare vild_r50_coco --weights-only",
]


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any weights, and an empty folder for the data."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setattr("ovdistill.teacher.weights._cached", lambda config: None)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def message(config: Config, **options: bool) -> str:
    with pytest.raises(UserError) as caught:
        check_needed(config, **options)
    return str(caught.value)


def matches(pattern: str, text: str) -> bool:
    with pytest.raises(UserError, match=pattern):
        raise UserError(text)
    return True


@pytest.mark.parametrize("command", ["train", "prepare"])
def test_commands_name_all_parts_and_begin_nothing(empty: Path, command: str) -> None:
    with pytest.raises(UserError) as caught:
        main.run([command, RECIPE])
    assert all(matches(part, str(caught.value)) for part in PARTS)
    made = [path.name for path in empty.rglob("*") if path.is_file()]
    assert not [name for name in made if "lock" not in name]


def test_an_extraction_needs_no_weights_of_the_student(empty: Path) -> None:
    text = message(load_config(RECIPE), student=False)
    assert "ViT-B-32" in text and "resnet50" not in text


def test_a_test_needs_the_teacher_for_the_vocabulary_alone(empty: Path) -> None:
    text = message(load_config(RECIPE), for_training=False)
    assert "ViT-B-32" in text and "resnet50" not in text and "rpn_r50" not in text


def test_what_is_there_is_not_missing(empty: Path) -> None:
    (empty / "rpn.pth").write_bytes(b"")
    options = {"teacher": dict(model=str(TEACHER_DIR)), "model.backbone.init_cfg": None}
    options |= {"data_root": str(empty), "train_ann": "a.json", "proposals": "rpn.pth"}
    (empty / "a.json").write_text("{}")
    config = load_config(RECIPE, options)
    config.teacher.pop("pretrained")
    check_needed(config)


def test_a_network_that_is_trained_first_starts_from_weights_too(empty: Path) -> None:
    text = message(load_config(RECIPE, {"prepare.proposals.train": True}))
    assert matches(r"prepare\.proposals\.options\.model\.backbone\.init_cfg\.checkpoint=PATH", text)
    assert "ovdistill train" not in text


def test_published_embeddings_and_captions_are_files(empty: Path) -> None:
    options = {"prepare.vocabulary.embeddings": "e.npy"}
    text = message(load_config("hierkd_r50_coco", options))
    assert "no file e.npy" in text and "captions_train2017.json" in text


def test_the_embedded_benchmark_needs_nothing(empty: Path) -> None:
    check_needed(load_config("vild_r18_shapes"))
    assert fetch_weights(load_config("vild_r18_shapes")) == [TEACHER_DIR]


def test_weights_alone(empty: Path) -> None:
    with pytest.raises(UserError) as caught:
        main.run(["prepare", RECIPE, "--weights-only"])
    text = str(caught.value)
    assert "(2)" in text and "instances_train2017" not in text
