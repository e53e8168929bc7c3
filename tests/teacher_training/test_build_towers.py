"""Towers by config: untrained ones, and those of a teacher's folder."""

from __future__ import annotations

import json
import sys

import pytest
import torch

from ovdistill.core.assets import TEACHER_DIR
from ovdistill.core.errors import UserError
from ovdistill.teacher import OpenCLIPTeacher
from ovdistill.teacher.teacher_folder import write_weights
from ovdistill.teacher_training.build_towers import build_towers

from . import tiny


def test_untrained_towers_depend_on_the_seed_alone() -> None:
    one, same, other = (tiny.towers(seed=seed).model.state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(value, same[name]) for name, value in one.items())
    assert not torch.equal(one["text_projection"], other["text_projection"])


def test_each_given_word_is_one_token_and_the_folder_loads(tmp_path) -> None:
    built, config = build_towers(tiny.model(preprocess_cfg=dict(mean=[0.1, 0.2, 0.3])), 0)
    config.write(tmp_path)
    write_weights(tmp_path, built.model)
    teacher = OpenCLIPTeacher(str(tmp_path))
    assert teacher.name == "tiny" and (tmp_path / "bpe.txt.gz").is_file()
    assert [len(teacher.tokenizer.encode(word)) for word in tiny.WORDS] == [1] * len(tiny.WORDS)
    torch.testing.assert_close(teacher.mean.flatten(), torch.tensor([0.1, 0.2, 0.3]))
    tokens = built.tokenizer(["a red cat"])
    found = torch.nn.functional.normalize(teacher.encode_text(["a red cat"]), dim=-1)
    torch.testing.assert_close(found, built.eval().encode_texts(tokens))


def test_half_matrices(tmp_path) -> None:
    built, config = build_towers(tiny.model(), 0)
    config.write(tmp_path)
    full = write_weights(tmp_path, built.model).stat().st_size
    assert write_weights(tmp_path, built.model, half=True).stat().st_size < 0.8 * full
    OpenCLIPTeacher(str(tmp_path))


def test_from_the_weights_of_a_teacher() -> None:
    built, config = build_towers(dict(model="ovshapes"), 0)
    stated = json.loads((TEACHER_DIR / "open_clip_config.json").read_text())
    assert config.name == "trained-ovshapes-rn" and config.model_cfg == stated["model_cfg"]
    assert [*config.files] == ["bpe.txt.gz"]
    assert all(p.requires_grad for p in built.parameters()) and built.training
    teacher = OpenCLIPTeacher("ovshapes")
    for name, value in teacher.model.state_dict().items():
        assert torch.equal(value, built.model.state_dict()[name])


def test_the_architecture_of_a_teacher_untrained() -> None:
    built, config = build_towers(dict(model="ovshapes", untrained=True), 0)
    teacher = OpenCLIPTeacher("ovshapes").model
    assert config.preprocess_cfg["interpolation"] == "bilinear"
    assert built.model.visual.conv1.weight.shape == teacher.visual.conv1.weight.shape
    assert not torch.equal(built.model.visual.conv1.weight, teacher.visual.conv1.weight)


def test_a_tokenizer_that_is_not_installed(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(UserError, match=r"'ViT-B-16-SigLIP'.*ovdistill\[siglip\]"):
        build_towers(dict(model="ViT-B-16-SigLIP"), 0)


def _with_text(**changes: int) -> dict:
    options = tiny.model()
    options["model"]["text_cfg"].update(changes)
    return options


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (dict(), "model.model is None"),
        (dict(model="ViT-B-23"), "did you mean"),
        (dict(model="ovshapes", words=["a"]), "words"),
        ("ViT-B-32", "model is 'ViT-B-32'; expected dict"),
        (tiny.model() | dict(words="cat dog"), "'cat dog'; expected a list"),
        (tiny.model() | dict(words=["cat", "t-shirt"]), "'t-shirt'; expected words of"),
        (tiny.model() | dict(words=["café"]), "'café'"),
        (tiny.model(preprocess_cfg=dict(means=[0, 0, 0])), "did you mean mean"),
        (tiny.model(preprocess_cfg=dict(mean=[0.5])), "three numbers"),
        (tiny.model(preprocess_cfg=dict(std=[0.5, 0, 1])), "above 0"),
        (tiny.model(preprocess_cfg=dict(resize_mode="crop")), "shortest or longest or squash"),
        (tiny.model(preprocess_cfg=dict(interpolation="foo")), "bilinear or bicubic"),
        (dict(model="ovshapes", untrained=True, pretrained="x"), "both"),
        (dict(model="ovshapes", untraned=True), "did you mean untrained"),
        (dict(model=dict(embed_dim=8)), "vision_cfg"),
        (dict(model=dict(embed_dim=8, vision_cfg={}, text_cfg=dict(widht=3))), "widht"),
        (tiny.model(tiny.VIT | dict(layers=0)), "no image.*expected a vision_cfg"),
        (tiny.model(tiny.VIT | dict(patch_size=32)), "no image of 16 pixels"),
        (_with_text(context_length=0), "or no text.*context length.*expected a vision_cfg"),
    ],
)
def test_bad_options(options: dict, match: str) -> None:
    with pytest.raises(UserError, match=match):
        build_towers(options, 0)
