"""A teacher with an adapter around it: what it embeds, its identity, how a config names it."""

import pytest
import torch
from torch.nn.functional import normalize

from ovdistill.core.centring import centring_map
from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.teacher import (
    AdaptedTeacher,
    ClipAdapter,
    NamedAdapter,
    TeacherAdapter,
    build_teacher,
    teacher_name,
    write_adapter,
)
from ovdistill.teacher.adapted_prompts import AdaptedPrompts
from ovdistill.vocabulary import Vocabulary
from ovdistill.vocabulary.learned_prompts import LearnedPrompts, prompts_for

OPTIONS = dict(model="ovshapes", embedding_map="ovshapes-clip")
TEXTS = ["a star", "a photo of a red heart.", "a ring"]


@pytest.fixture(scope="module")
def plain():
    return build_teacher(OPTIONS)


@pytest.fixture(scope="module")
def named(plain):
    torch.manual_seed(0)
    adapter = ClipAdapter(plain.embed_dim, image_ratio=0.5, text_ratio=0.3)
    return NamedAdapter("field", plain.id, adapter)


@pytest.fixture(scope="module")
def file(named, tmp_path_factory):
    path = tmp_path_factory.mktemp("adapters") / "field.safetensors"
    write_adapter(path, named)
    return str(path)


@pytest.fixture(scope="module")
def adapted(file):
    return build_teacher(dict(OPTIONS, adapter=file))


class Darker(TeacherAdapter):
    kind = "darker"

    def adapt_pixels(self, images):
        return images / 2


def test_it_adapts_what_the_teacher_embeds(plain, adapted, named):
    expected = named.adapter.adapt_texts(plain.encode_text(TEXTS))
    torch.testing.assert_close(adapted.encode_text(TEXTS), expected)
    assert not torch.allclose(adapted.encode_text(TEXTS), plain.encode_text(TEXTS), atol=0.01)
    image = torch.randint(0, 256, (3, 90, 70), dtype=torch.uint8)
    boxes = torch.tensor([[3.0, 5, 40, 60], [0, 0, 70, 20]])
    expected = named.adapter.adapt_images(plain.encode_regions(image, boxes))
    torch.testing.assert_close(adapted.encode_regions(image, boxes), expected)
    crops = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    expected = named.adapter.adapt_images(normalize(plain.encode_images(crops), dim=-1))
    torch.testing.assert_close(adapted.encode_images(crops), expected)
    assert not any(value.requires_grad for value in adapted.parameters())


def test_the_bytes_of_a_region_do_not_depend_on_its_batch(adapted):
    embeddings = normalize(torch.randn(300, adapted.embed_dim), dim=1)
    one_by_one = torch.cat([adapted.change_images(row[None]) for row in embeddings])
    assert torch.equal(one_by_one, adapted.change_images(embeddings))


def test_pixels_are_changed_before_the_tower(plain):
    adapted = AdaptedTeacher(plain, NamedAdapter("darker", plain.id, Darker()))
    bright = torch.randint(0, 256, (3, 64, 64), dtype=torch.uint8) // 2 * 2
    boxes = torch.tensor([[0.0, 0, 64, 64]])
    dark = plain.encode_regions(bright // 2, boxes)
    torch.testing.assert_close(adapted.encode_regions(bright, boxes), dark, atol=2e-2, rtol=0)
    assert not torch.allclose(dark, plain.encode_regions(bright, boxes), atol=5e-2)
    assert adapted.adapter.changes_pixels and not ClipAdapter(8).changes_pixels


def test_its_text_tower_agrees_with_encode_text(adapted):
    tower = adapted.text_tower()
    embedded = tower.encode_embedded(*tower.token_embeddings(TEXTS))
    torch.testing.assert_close(embedded, adapted.encode_text(TEXTS), atol=1e-5, rtol=0)


def test_it_is_a_teacher_of_its_own(plain, adapted, named, file):
    digest = named.adapter.digest[:6]  # which tells it from another one of this name
    assert adapted.name == f"{plain.name}+field-{digest}"
    assert adapted.name == teacher_name(dict(OPTIONS, adapter=file))
    assert not adapted.id.is_same(plain.id)
    other = ClipAdapter(plain.embed_dim, image_ratio=0.4, text_ratio=0.3)
    other.load_state_dict(named.adapter.state_dict())  # the same weights in another mixture
    assert AdaptedTeacher(plain, NamedAdapter("field", plain.id, other)).id != adapted.id
    assert Vocabulary.encode(["star"], adapted, ("{}",)).teacher == adapted.id


def test_a_map_of_the_adapted_teacher_stands_behind_the_adapter(adapted, file, tmp_path):
    texts = adapted.encode_text(TEXTS)
    path = str(tmp_path / "centred.safetensors")
    centring_map(texts, texts, adapted.id).save(path)
    options = dict(model="ovshapes", embedding_map=["ovshapes-clip", path], adapter=file)
    centred = build_teacher(options)
    assert centred.name == teacher_name(options) == f"{adapted.name}+centred"
    assert float(centred.encode_text(TEXTS).mean(dim=0).norm()) < 0.1
    tower = centred.text_tower()
    embedded = tower.encode_embedded(*tower.token_embeddings(TEXTS))
    torch.testing.assert_close(embedded, centred.encode_text(TEXTS), atol=1e-4, rtol=0)


def test_adapters_follow_one_another(adapted, file, tmp_path):
    second = NamedAdapter("more", adapted.id, ClipAdapter(adapted.embed_dim))
    write_adapter(tmp_path / "more.safetensors", second)
    both = dict(OPTIONS, adapter=[file, str(tmp_path / "more.safetensors")])
    twice = build_teacher(both)
    assert twice.name == f"{adapted.name}+more-{second.adapter.digest[:6]}"
    texts = twice.encode_text(TEXTS)
    centring_map(texts, texts, twice.id).save(str(tmp_path / "centred.safetensors"))
    maps = ["ovshapes-clip", str(tmp_path / "centred.safetensors")]
    centred = build_teacher(dict(both, model="ovshapes", embedding_map=maps))
    assert centred.name == f"{twice.name}+centred"


def test_an_adapter_of_another_teacher_is_refused(plain, file):
    with pytest.raises(UserError, match="learned with teacher"):
        build_teacher(dict(model="ovshapes", adapter=file))
    wide = NamedAdapter("wide", plain.id, ClipAdapter(plain.embed_dim + 4))
    with pytest.raises(UserError, match=f"of width {plain.embed_dim + 4}"):
        AdaptedTeacher(plain, wide)
    with pytest.raises(UserError, match="no adapter 'none'"):
        build_teacher(dict(model="ovshapes", adapter="none"))


def test_prompts_of_an_adapter_come_before_those_of_the_user(plain):
    class Prompting(TeacherAdapter):
        kind = "prompting"
        prompts = AdaptedPrompts(torch.zeros(1, 2, plain.text_tower().width), "end", "learned")

    adapted = AdaptedTeacher(plain, NamedAdapter("prompting", plain.id, Prompting()))
    found = prompts_for(adapted, ("a {}",))
    assert isinstance(found, LearnedPrompts) and found.teacher == adapted.id
    vocabulary = Vocabulary.encode(["star", "ring"], adapted, found)
    assert vocabulary.learned is found
    assert prompts_for(plain, ("a {}",)) == ("a {}",)


def test_no_prompts_are_learned_behind_an_adapter_that_knows_names(plain):
    class Tied(TeacherAdapter):
        kind, tied_to_prompts = "tied", True

    adapted = AdaptedTeacher(plain, NamedAdapter("tied", TeacherId(plain.name), Tied()))
    with pytest.raises(UserError, match="'tied'"):
        adapted.text_tower()
