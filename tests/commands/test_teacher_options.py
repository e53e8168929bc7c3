"""How commands name a teacher, and a map behind it."""

import pytest

from ovdistill.commands.main import parse
from ovdistill.commands.teacher_options import teacher_arguments
from ovdistill.core.errors import UserError


def arguments(*words: str) -> dict:
    _, options = parse(["vocab", "build", "--names", "a", "-o", "x", *words])
    return teacher_arguments(options)


def test_names_of_teachers():
    assert arguments("--teacher", "ViT-B-32:openai") == dict(model="ViT-B-32", pretrained="openai")
    assert arguments("--teacher", "hf-hub:a/b") == dict(model="hf-hub:a/b")
    clip = dict(model="ovshapes", embedding_map="ovshapes-clip")
    assert arguments("--teacher", "ovshapes") == clip
    assert arguments("--config", "vild_r18_shapes") == clip
    assert arguments("--teacher", "ovshapes-plain") == dict(model="ovshapes")
    with pytest.raises(UserError, match="no teacher"):
        arguments()


def test_a_map_behind_any_teacher():
    found = arguments("--teacher", "ViT-B-32:openai", "--embedding-map", "centred.safetensors")
    assert found["embedding_map"] == ["centred.safetensors"]
    found = arguments("--config", "vild_r50_lvis", "--embedding-map", "a.safetensors", "b")
    assert (found["model"], found["embedding_map"]) == (
        "ViT-B-32-quickgelu",
        ["a.safetensors", "b"],
    )


def test_an_adapter_around_any_teacher():
    found = arguments("--teacher", "ovshapes", "--adapter", "field.safetensors")
    assert found["adapter"] == ["field.safetensors"]
    assert found["embedding_map"] == "ovshapes-clip"
