"""Maps of embeddings: the file, what is refused, and what centring does to CLIP's own texts."""

import dataclasses

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from ovdistill.core.assets import EMBEDDING_MAPS
from ovdistill.core.embedding_map import (
    EmbeddingMap,
    embed_dim_after,
    mapped_id,
    read_embedding_map,
)
from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.core.tensor_files import write_tensor_file
from ovdistill.ovshapes.teacher.clip_geometry import CLIP

TEACHER = TeacherId("tiny", "0123456789abcdef")


def centring(mean_image: torch.Tensor, mean_text: torch.Tensor) -> EmbeddingMap:
    tensors = {"image_bias": -mean_image, "text_bias": -mean_text}
    return EmbeddingMap("centred", TEACHER, 0.01, tensors)


def test_an_affine_map_by_hand():
    weight = torch.tensor([[0.0, 2.0], [1.0, 0.0], [0.0, 0.0]])
    found = EmbeddingMap(
        "wide",
        TEACHER,
        0.1,
        {
            "image_weight": weight,
            "text_weight": weight,
            "image_bias": torch.tensor([0.0, 0.0, 2.0]),
        },
    )
    unit = torch.tensor([[1.0, 0.0]])
    torch.testing.assert_close(found.images(unit), torch.tensor([[0.0, 1.0, 2.0]]) / 5**0.5)
    torch.testing.assert_close(found.texts(unit), torch.tensor([[0.0, 1.0, 0.0]]))
    assert embed_dim_after(found, 2) == 3
    with pytest.raises(UserError, match="width 2; the teacher's are of width 5"):
        embed_dim_after(found, 5)


@pytest.mark.parametrize("temperature", [0.0, float("nan"), float("inf")])
def test_a_map_that_could_not_be_read_is_not_written(tmp_path, temperature):
    made = dataclasses.replace(centring(torch.zeros(2), torch.zeros(2)), temperature=temperature)
    with pytest.raises(UserError, match="not written: temperature"):
        made.save(tmp_path / "map.safetensors")
    assert not [*tmp_path.iterdir()]


def test_a_map_comes_back_from_its_file(tmp_path):
    made = centring(torch.tensor([0.5, 0.0]), torch.tensor([0.0, 0.5]))
    made.save(tmp_path / "map.safetensors")
    found = read_embedding_map(tmp_path / "map.safetensors")
    assert (found.name, found.teacher, found.temperature) == ("centred", TEACHER, 0.01)
    assert found.digest == made.digest
    other = dataclasses.replace(made, tensors={**made.tensors, "image_bias": torch.ones(2)})
    assert other.digest != made.digest
    unit = normalize(torch.randn(4, 2), dim=1)
    torch.testing.assert_close(found.images(unit), made.images(unit))


@pytest.mark.parametrize(
    ("texts", "tensors"),
    [
        ({"format": "something"}, {}),
        ({"name": "x", "temperature": "0"}, {"image_bias": torch.ones(2)}),
        ({"name": "x", "temperature": "nan"}, {"image_bias": torch.ones(2)}),
        ({"name": "x"}, {"image_bias": torch.ones(2)}),
        ({"name": "x", "temperature": "1"}, {"image_bias": torch.ones(2, 2)}),
        ({"name": "x", "temperature": "1"}, {"text_bias": torch.tensor([torch.nan])}),
        ({"name": "x", "temperature": "1"}, {}),
        (
            {"name": "x", "temperature": "1"},
            {"image_bias": torch.ones(2), "text_bias": torch.ones(3)},
        ),
    ],
)
def test_damaged_maps_are_refused(tmp_path, texts, tensors):
    path = tmp_path / "map.safetensors"
    write_tensor_file(path, tensors, {"format": "ovdistill-embedding-map-1", **texts})
    with pytest.raises(UserError, match=r"map\.safetensors"):
        read_embedding_map(path)


def test_a_missing_or_broken_file_is_named(tmp_path):
    with pytest.raises(UserError, match="no embedding map"):
        read_embedding_map(tmp_path / "none.safetensors")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(EMBEDDING_MAPS["ovshapes-clip"].read_bytes()[:1000])
    with pytest.raises(UserError, match="damaged"):
        read_embedding_map(broken)


@pytest.mark.parametrize(
    ("file", "classes"), [("lvis_v1_clip_a+cname.npy", 1203), ("coco_clip_a+cname.npy", 80)]
)
def test_texts_of_the_real_clip(real_data, file, classes):
    """CLIP's texts have the mean cosine that OVShapes' teacher is given; centring removes it."""
    texts = torch.from_numpy(np.load(real_data / "clip_text" / file)).float()
    texts = normalize(texts, dim=1)
    pairs = ~torch.eye(classes, dtype=torch.bool)
    before = texts @ texts.T
    assert float(before[pairs].mean()) == pytest.approx(CLIP.texts, abs=0.1)
    centred = centring(torch.zeros(512), texts.mean(dim=0)).texts(texts)
    after = centred @ centred.T
    assert abs(float(after[pairs].mean())) < 0.02
    # the content stays: the nearest name is still among the nearest
    nearest = before.masked_fill(~pairs, -2).argmax(dim=1)
    among = after.masked_fill(~pairs, -2).topk(10, dim=1).indices
    assert float((among == nearest[:, None]).any(dim=1).float().mean()) > 0.9


@pytest.mark.parametrize("split", ["shape", "compositional"])
def test_the_shipped_directions_follow_the_shipped_gap(split):
    gap = read_embedding_map("ovshapes-clip")
    centring = read_embedding_map(f"ovshapes-clip-directions-{split}")
    assert centring.teacher == mapped_id(gap.teacher, gap)
    assert embed_dim_after(centring, 128) == 18 and centring.temperature > 10 * gap.temperature
