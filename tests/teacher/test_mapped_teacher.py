"""A teacher with a map behind it: what it embeds, its identity, and how a config names it."""

import pytest
import torch
from torch.nn.functional import normalize

from ovdistill.core.centring import centring_map
from ovdistill.core.embedding_map import EmbeddingMap
from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.teacher import CropPolicy, build_teacher, teacher_name
from ovdistill.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def plain():
    return build_teacher(dict(model="ovshapes"))


@pytest.fixture(scope="module")
def mapped():
    return build_teacher(dict(model="ovshapes", embedding_map="ovshapes-clip"))


def test_it_maps_what_the_teacher_embeds(plain, mapped):
    texts = ["a star", "a photo of a red heart."]
    expected = mapped.embedding_map.texts(plain.encode_text(texts))
    torch.testing.assert_close(mapped.encode_text(texts), expected)
    image = torch.randint(0, 256, (3, 90, 70), dtype=torch.uint8)
    boxes = torch.tensor([[3.0, 5, 40, 60], [0, 0, 70, 20]])
    regions = mapped.encode_regions(image, boxes)
    expected = mapped.embedding_map.images(plain.encode_regions(image, boxes))
    torch.testing.assert_close(regions, expected)
    assert not torch.allclose(regions, plain.encode_regions(image, boxes), atol=0.1)
    policy = CropPolicy(scales=(1.0, 2.0, 3.0), shape="pad")
    expected = mapped.embedding_map.images(plain.encode_regions(image, boxes, policy=policy))
    torch.testing.assert_close(mapped.encode_regions(image, boxes, policy=policy), expected)
    assert mapped.whole_image == plain.whole_image == CropPolicy(scales=(1.0,), shape="squash")
    crops = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    expected = mapped.embedding_map.images(normalize(plain.encode_images(crops), dim=-1))
    torch.testing.assert_close(mapped.encode_images(crops), expected)


def test_its_text_tower_agrees_with_encode_text(mapped):
    texts = ["a star", "a ring"]
    embedded = mapped.text_tower().encode_embedded(*mapped.text_tower().token_embeddings(texts))
    torch.testing.assert_close(embedded, mapped.encode_text(texts), atol=1e-5, rtol=0)


def test_it_is_a_teacher_of_its_own(plain, mapped):
    assert mapped.name == f"{plain.name}+clip-gap"
    assert mapped.weights_hash != plain.weights_hash and not mapped.id.is_same(plain.id)
    names = [
        teacher_name(dict(model="ovshapes", embedding_map=source))
        for source in (None, "ovshapes-plain", "ovshapes-clip")
    ]
    assert names == [plain.name, plain.name, mapped.name]
    vocabulary = Vocabulary.encode(["star"], mapped, ("{}",))
    assert vocabulary.teacher == mapped.id


def test_maps_follow_one_another(mapped, tmp_path):
    texts = mapped.encode_text(["star", "ring", "heart"])
    centring_map(texts, texts, mapped.id).save(tmp_path / "centred.safetensors")
    options = dict(
        model="ovshapes", embedding_map=["ovshapes-clip", str(tmp_path / "centred.safetensors")]
    )
    centred = build_teacher(options)
    assert centred.name == teacher_name(options) == f"{mapped.name}+centred"
    assert float(centred.encode_text(["star", "ring", "heart"]).mean(dim=0).norm()) < 0.1


def test_a_map_of_another_teacher_is_refused(tmp_path):
    other = EmbeddingMap("m", TeacherId("x", "00"), 0.1, {"text_bias": torch.zeros(128)})
    other.save(tmp_path / "map.safetensors")
    with pytest.raises(UserError, match="is of teacher x"):
        build_teacher(dict(model="ovshapes", embedding_map=str(tmp_path / "map.safetensors")))
    with pytest.raises(UserError, match="no embedding map 'none'"):
        build_teacher(dict(model="ovshapes", embedding_map="none"))
