"""The image tower with gradients gives what the frozen teacher gives."""

import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.teacher import (
    AdaptedTeacher,
    NamedAdapter,
    OpenCLIPTeacher,
    Teacher,
    VisualPrompt,
    build_teacher,
)


@pytest.fixture(scope="module")
def plain() -> OpenCLIPTeacher:
    return OpenCLIPTeacher("ovshapes")


def crops(count: int = 6) -> torch.Tensor:
    return torch.randint(0, 256, (count, 3, 64, 64), dtype=torch.uint8)


def adapted(teacher: Teacher) -> AdaptedTeacher:
    prompt = VisualPrompt(64, 5)
    prompt.values.data.normal_()
    return AdaptedTeacher(teacher, NamedAdapter("frame", teacher.id, prompt))


def test_it_equals_encode_images(plain):
    images = crops()
    torch.testing.assert_close(plain.image_tower().encode(images), plain.encode_images(images))
    as_floats = images.float() / 255
    torch.testing.assert_close(plain.image_tower().encode(as_floats), plain.encode_images(images))


@pytest.mark.parametrize("kind", ["plain", "mapped", "adapted", "adapted twice", "both"])
def test_regions_equal_those_of_the_teacher(plain, kind):
    teacher = {
        "plain": lambda: plain,
        "mapped": lambda: build_teacher(dict(model="ovshapes", embedding_map="ovshapes-clip")),
        "adapted": lambda: adapted(plain),
        "adapted twice": lambda: adapted(adapted(plain)),
        "both": lambda: adapted(
            build_teacher(dict(model="ovshapes", embedding_map="ovshapes-clip"))
        ),
    }[kind]()
    pixels = crops()
    found = teacher.image_tower().embed_crops(pixels, teacher.crops)
    torch.testing.assert_close(found, teacher.embed_crops(pixels), atol=1e-5, rtol=1e-4)


def test_a_gradient_reaches_the_pixels_of_a_frozen_teacher(plain):
    pixels = torch.rand(4, 3, 64, 64, requires_grad=True)
    adapted(plain).image_tower().embed_crops(pixels, plain.crops)[:, 0].sum().backward()
    assert pixels.grad is not None and pixels.grad.abs().amin(dim=(1, 2, 3)).shape == (4,)
    assert pixels.grad.abs().mean() > 0
    assert all(parameter.grad is None for parameter in plain.parameters())


def test_a_teacher_without_such_a_tower_says_so():
    class Own(Teacher):
        name = "own"

        def encode_text(self, texts, batch_size=256):
            return torch.zeros(len(texts), 2)

        def encode_images(self, images):
            return torch.zeros(len(images), 2)

    with pytest.raises(UserError, match="'own'"):
        Own().image_tower()
