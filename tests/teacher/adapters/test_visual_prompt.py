"""Visual prompts: where they are, and their files."""

import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.teacher import (
    AdaptedTeacher,
    NamedAdapter,
    OpenCLIPTeacher,
    UnifiedPrompts,
    VisualPrompt,
    read_adapter,
    write_adapter,
)
from ovdistill.teacher.adapters.prompt_pixels import add_prompt, prompt_size
from ovdistill.vocabulary import Names, Vocabulary
from ovdistill.vocabulary.learned_prompts import prompts_for


def test_a_frame_by_hand():
    values = torch.arange(1.0, 13).repeat(3, 1)
    values[1] *= 10
    out = add_prompt(torch.full((2, 3, 4, 4), 0.5), values, 1, "frame") - 0.5
    red = [[1, 2, 3, 4], [5, 0, 0, 6], [7, 0, 0, 8], [9, 10, 11, 12]]
    assert out[0, 0].tolist() == red == out[1, 2].tolist()
    assert torch.equal(out[:, 1], 10 * out[:, 0])


def test_a_patch_by_hand():
    out = add_prompt(torch.zeros(1, 3, 3, 3), torch.tensor([[1.0, 2, 3, 4]] * 3), 2, "patch")
    assert out[0, 1].tolist() == [[1, 2, 0], [3, 4, 0], [0, 0, 0]]


@pytest.mark.parametrize(
    ("size", "width", "place", "count"),
    [(64, 9, "frame", 1980), (8, 4, "frame", 64), (8, 3, "patch", 9)],
)
def test_sizes(size, width, place, count):
    assert prompt_size(size, width, place) == count


@pytest.mark.parametrize(
    "bad", [dict(width=0), dict(width=33), dict(width=65, place="patch"), dict(place="middle")]
)
def test_prompts_that_do_not_fit(bad):
    with pytest.raises(ValueError, match=str(next(iter(bad.values())))):
        VisualPrompt(**(dict(image_size=64, width=2) | bad))


def test_a_new_prompt_changes_nothing_and_a_gradient_reaches_it():
    prompt, images = VisualPrompt(8, 2), torch.rand(2, 3, 8, 8)
    out = prompt.adapt_pixels(images)
    assert torch.equal(out, images)
    out.sum().backward()
    assert torch.equal(prompt.values.grad, torch.full((3, 48), 2.0))


def test_images_of_another_size_are_refused():
    with pytest.raises(UserError, match="64"):
        VisualPrompt(64, 2).adapt_pixels(torch.rand(1, 3, 32, 32))


@pytest.mark.parametrize("place", ["frame", "patch"])
def test_a_prompt_comes_back_from_its_file(tmp_path, place):
    prompt = VisualPrompt(16, 3, place)
    prompt.values.data.normal_()
    write_adapter(tmp_path / "a.safetensors", NamedAdapter("a", TeacherId("t"), prompt))
    found = read_adapter(tmp_path / "a.safetensors").adapter
    assert found.settings == prompt.settings and found.digest == prompt.digest
    images = torch.rand(2, 3, 16, 16)
    assert torch.equal(found.adapt_pixels(images), prompt.adapt_pixels(images))


def test_unified_prompts_bring_their_context(tmp_path):
    teacher = OpenCLIPTeacher("ovshapes")
    width = teacher.text_tower().width
    made = UnifiedPrompts.of_values(
        64, 4, torch.randn(3, prompt_size(64, 4, "frame")), torch.randn(5, width), "how"
    )
    write_adapter(tmp_path / "a.safetensors", NamedAdapter("upt-a", teacher.id, made))
    adapted = AdaptedTeacher(teacher, read_adapter(tmp_path / "a.safetensors"))
    prompts = prompts_for(adapted, ("a {}",))
    assert prompts.description == "how" and prompts.spelling == "words"
    assert torch.equal(prompts.contexts, made.contexts.detach())
    names = Names(("solid star", "heart"))
    learned = Vocabulary.encode(names, adapted, prompts, torch.tensor([True, False]))
    plain = Vocabulary.encode(names, teacher, ("a {}",), torch.tensor([True, False]))
    assert learned.learned is not None
    assert not torch.allclose(learned.embeddings, plain.embeddings, atol=0.05)
    assert adapted.id.name == f"ovshapes-rn+upt-a-{adapted.adapter.digest[:6]}"


def test_an_unknown_spelling_is_refused():
    with pytest.raises(ValueError, match="runes"):
        UnifiedPrompts(64, 4, 2, 8, spelling="runes")
