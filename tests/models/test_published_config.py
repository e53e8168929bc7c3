"""The config of a published detector: data that starts no code, and comes back as it was."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from ovdistill.commands.init_dataset.model import ignoring_changes, merged
from ovdistill.core.errors import UserError
from ovdistill.core.recipes import recipe_names
from ovdistill.models.config import load_config
from ovdistill.models.published_config import encoded, read_published, reason_against

CONTENT: dict[str, Any] = dict(
    default_scope="mmdet",
    model=dict(type="OpenVocabularyRCNN", backbone=dict(type="ResNet", out_indices=(0, 1))),
    test_pipeline=[dict(type="Resize", scale=(128, 128), keep_ratio=True)],
    teacher=dict(model="ovshapes"),
    prepare=dict(vocabulary=dict(templates="{config_folder}/prompts.safetensors")),
)


def write(folder: Path, content: Any) -> Path:
    path = folder / "student_config.json"
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    path.write_bytes(text)
    return path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, encoded(CONTENT))
    assert read_published(path) == CONTENT
    config = load_config(path, {"model.backbone.depth": 18})
    assert config.model.backbone.to_dict() == dict(type="ResNet", out_indices=(0, 1), depth=18)
    assert config.prepare.vocabulary.templates == f"{tmp_path}/prompts.safetensors"
    assert config.test_pipeline[0].scale == (128, 128)


def change(**edits: Any) -> dict[str, Any]:
    content = copy.deepcopy(CONTENT)
    for key, value in edits.items():
        *above, last = key.split("__")
        place = content
        for part in above:
            place = place[part]
        place[last] = value
    return encoded(content)


START = {"type": "subprocess.Popen", "args": ["touch", "mark"]}
REFUSED = {
    "a program": change(model=START),
    "a program deep inside": change(model__backbone={"list": [[START]]}),
    "a program in the pipeline": change(test_pipeline=[START]),
    "a program as the teacher": change(teacher=START),
    "an expression": change(model__test_cfg={"nms": {"type": "__import__('os').getcwd()"}}),
    "a type that is a list": change(model__type=["ResNet"]),
    "a type that is an object": change(model__type={}),
    "a reader of pickles": change(test_pipeline=[{"type": "mmengine.load", "file": "x.pkl"}]),
    "a scope that is imported": change(default_scope="evil"),
    "a scope inside": change(model___scope_="evil"),
    "a base": change(_base_="evil.py"),
    "imports": change(custom_imports={"imports": ["evil"]}),
    "a training": change(train_cfg={}),
    "a network": change(prepare={"proposals": {"network": "evil.py"}}),
    "names": change(prepare={"vocabulary": {"names": "x"}}),
    "no model": {"teacher": {}},
    "a model that is text": change(model="x"),
    "a list": [1],
    "null": None,
    "deep": b"[" * 200_000,
    "deep but read": b'{"model": ' + b"[" * 500 + b"]" * 500 + b"}",
    "5000 digits": b'{"model": ' + b"9" * 5000 + b"}",
    "NaN": b'{"model": NaN}',
    "too large a float": b'{"model": 1e999}',
    "a key twice": b'{"model": {}, "model": {}}',
    "no UTF-8": b"\xff\xfe{}",
    "empty": b"",
    "null bytes": b"\0" * 100,
    "cut": b'{"model": {"a',
    "large": b" " * 4_000_001,
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_anything_else_is_refused(kind: str, tmp_path: Path) -> None:
    path = write(tmp_path, REFUSED[kind])
    with pytest.raises(UserError, match="student_config"):
        load_config(path)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").mkdir()
    with pytest.raises(UserError, match=r"a\.json"):
        read_published(tmp_path / "a.json")


@pytest.mark.parametrize("value", [int, {1: 2}, float("nan"), float("-inf"), {1, 2}, b"x"])
def test_values_that_json_does_not_have(value: Any) -> None:
    with pytest.raises(UserError):
        encoded({"a": [value]})


def test_the_detectors_of_all_recipes_can_be_published() -> None:
    for name in recipe_names():
        config = load_config(name)
        if "OpenVocabulary" not in config.model.type or "Segmentor" in config.model.type:
            continue  # a proposal network is published without a config, a segmentor is not
        model = {k: v for k, v in config.model.to_dict().items() if k != "distillers"}
        own = merged(model, ignoring_changes(model))  # as init-dataset writes it
        for made in (model, own):
            content = dict(model=made, test_pipeline=config.test_pipeline, teacher=config.teacher)
            assert reason_against(encoded(content)) is None, name
