"""Teachers are registered by class name, and built from what a config says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.teacher import Teacher, build_teacher, register_teacher, teacher_name
from ovdistill.teacher.registry import TEACHERS


class Small(Teacher):
    name = "small"
    embed_dim = 2
    image_size = 4

    def __init__(self, crops=None, device="cpu", factor=1.0):
        super().__init__(crops)
        self.register_buffer("factor", torch.tensor(factor))
        self.to(device)

    def encode_text(self, texts, batch_size=256):
        return torch.ones(len(texts), 2)

    def encode_images(self, images):
        return torch.ones(len(images), 2)


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    before = dict(TEACHERS)
    assert register_teacher(Small) is Small
    yield
    TEACHERS.clear()
    TEACHERS.update(before)


def test_a_registered_class_is_built_with_its_arguments() -> None:
    teacher = build_teacher(dict(type="Small", factor=3.0, crops=dict(scales=(1.0,))))
    assert isinstance(teacher, Small) and teacher.factor == 3
    assert teacher.crops.scales == (1.0,)
    assert isinstance(build_teacher(dict(type=Small)), Small)  # or by the class itself


def test_open_clip_is_the_default() -> None:
    assert teacher_name(dict(model="ovshapes")) == "ovshapes-rn"
    assert teacher_name(dict(type="OpenCLIPTeacher", model="ovshapes")) == "ovshapes-rn"
    assert build_teacher(dict(model="ovshapes")).name == "ovshapes-rn"


def test_a_name_that_is_not_known_without_the_weights_is_none() -> None:
    assert teacher_name(dict(type="Small")) is None


def test_the_options_stay_as_they_were() -> None:
    options = dict(type="Small", factor=3.0)
    build_teacher(options)
    teacher_name(options)
    assert options == dict(type="Small", factor=3.0)


@pytest.mark.parametrize("function", [build_teacher, teacher_name])
def test_unknown_types_name_the_known_ones(function) -> None:
    with pytest.raises(UserError, match="'Oracle'.*OpenCLIPTeacher.*Small.*custom_imports"):
        function(dict(type="Oracle"))


@pytest.mark.parametrize(
    ("options", "word"),
    [(dict(model="ovshapes", size=3), "size"), (dict(), "model"), (dict(type="Small", x=1), "x")],
)
def test_arguments_that_do_not_fit(options: dict, word: str) -> None:
    with pytest.raises(UserError, match=f"{options.get('type', 'OpenCLIPTeacher')}.*{word}"):
        build_teacher(options)


def test_a_name_is_registered_once() -> None:
    register_teacher(Small)  # the same class again, as a module that is reloaded does
    with pytest.raises(ValueError, match="Small"):
        register_teacher(type("Small", (Small,), {"__module__": "another"}))
    assert TEACHERS["Small"] is Small
