"""Regions that share the first stages of a tower: they are what crops are, where both agree."""

import pytest
import torch
from torch.nn.functional import normalize

from ovdistill.core.errors import UserError
from ovdistill.teacher import DenseRegions, Teacher, build_teacher, region_policy, stages
from ovdistill.teacher.dense_regions import DenseBatch
from ovdistill.teacher.stages import embed_after_stage, squares, staged_tower
from tests.teacher.families import small_model

STAGED = ["resnet", "convnext", "convnext-mlp"]
SIZE = 64  # of the input of these towers


@pytest.fixture(scope="module")
def models():
    return {family: small_model(family) for family in STAGED}


@pytest.fixture(scope="module")
def teacher():
    return build_teacher(dict(model="ovshapes", crops=dict(mode="dense", size=192, stage=3)))


def image(height, width):
    return torch.randint(0, 256, (3, height, width), dtype=torch.uint8)


def close(actual, expected):
    """The same up to rounding, for values of any size."""
    torch.testing.assert_close(
        actual, expected, rtol=1e-4, atol=1e-4 * float(expected.detach().abs().max())
    )


@pytest.mark.parametrize("family", STAGED)
@pytest.mark.parametrize("stage", [1, 2, 3, 4])
def test_the_whole_input_is_embedded_like_an_image(models, family, stage):
    model = models[family]
    pixels = torch.randn(2, 3, SIZE, SIZE)
    whole = torch.tensor([[0.0, 0, SIZE, SIZE]])
    found = embed_after_stage(model, pixels, [whole, whole], stage, SIZE)
    close(found, model.encode_image(pixels))


@pytest.mark.parametrize("family", STAGED)
def test_the_stages_of_a_tower_are_all_of_it(models, family):
    tower = staged_tower(models[family])
    hidden = tower.stem(torch.randn(1, 3, SIZE, SIZE))
    for module, stride in zip(tower.stages, tower.strides, strict=True):
        hidden = module(hidden)
        assert hidden.shape[2:] == (SIZE // stride, SIZE // stride)


@pytest.mark.parametrize("stage", [1, 3])
def test_a_region_is_cut_out_of_a_larger_image(models, stage):
    """The square about a box that lies on whole positions is what it is as an image of its own."""
    model = models["resnet"]
    part = torch.randn(1, 3, SIZE, SIZE)
    own = embed_after_stage(model, part, [torch.tensor([[0.0, 0, SIZE, SIZE]])], stage, SIZE)
    canvas = torch.zeros(1, 3, 3 * SIZE, 3 * SIZE)
    canvas[:, :, SIZE : 2 * SIZE, SIZE : 2 * SIZE] = part
    lower = torch.tensor([[SIZE, 1.2 * SIZE, 2 * SIZE, 1.8 * SIZE]])  # its square is the part
    other = torch.tensor([[0.0, 0, SIZE, SIZE]])
    found = embed_after_stage(model, canvas, [torch.cat([lower, other])], stage, SIZE)
    far = (normalize(found) - normalize(own)).norm(dim=1)
    # not 0: convolutions before the stage see a little of what is around
    assert far[0] < 0.25 * far[1]


def test_squares_by_hand():
    boxes = torch.tensor([[10.0, 20, 30, 60], [0, 0, 8, 2], [5, 5, 9, 9]])
    expected = torch.tensor([[0.0, 20, 40, 60], [0, -3, 8, 5], [5, 5, 9, 9]])
    torch.testing.assert_close(squares(boxes), expected)


@pytest.mark.parametrize("family", STAGED)
def test_regions_do_not_depend_on_each_other(models, family, monkeypatch):
    model = models[family]
    pixels = torch.randn(2, 3, SIZE, 2 * SIZE)
    boxes = [torch.tensor([[0.0, 0, 30, 20], [100, 40, 150, 80]]), torch.zeros(0, 4)]
    together = embed_after_stage(model, pixels, boxes, 2, SIZE)
    monkeypatch.setattr(stages, "AT_A_TIME", 1)
    close(embed_after_stage(model, pixels, boxes, 2, SIZE), together)
    close(embed_after_stage(model, pixels[:1], [boxes[0][1:]], 2, SIZE), together[1:])
    assert together.isfinite().all()


@pytest.mark.parametrize("family", STAGED)
def test_gradients_reach_the_stages_before_and_behind(family):
    model = small_model(family)
    boxes = [torch.tensor([[0.0, 0, 30, 20]])]
    embed_after_stage(model, torch.randn(1, 3, SIZE, SIZE), boxes, 3, SIZE).sum().backward()
    tower = staged_tower(model)
    for module in tower.stages:
        assert all(value.grad.abs().sum() > 0 for value in module.parameters() if value.dim() > 1)


@pytest.mark.parametrize(
    ("family", "stage", "message"),
    [
        ("resnet", 5, "stage 5 of an image tower of 4"),
        ("vit", 3, "VisionTransformer has no stages"),
        ("mobileclip", 3, "no stages"),
    ],
)
def test_towers_without_the_stage(family, stage, message):
    model = small_model(family)
    with pytest.raises(UserError, match=message):
        embed_after_stage(model, torch.randn(1, 3, 64, 64), [torch.zeros(1, 4)], stage, 64)


def test_a_teacher_takes_the_stage_of_its_policy(teacher):
    assert teacher.crops == DenseRegions(192, 3)
    assert teacher.crops.to_dict() == dict(mode="dense", size=192, stage=3)
    assert region_policy(teacher.crops.to_dict()) == teacher.crops
    images, box = [image(64, 96), image(128, 128)], torch.tensor([[5.0, 5, 40, 30]])
    boxes = [box, torch.cat([box, box + 20])]
    found = teacher.encode_regions(images, boxes)
    assert (found.shape, found.dtype) == ((3, teacher.embed_dim), torch.float32)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(3))
    apart = [teacher.encode_regions(own, b) for own, b in zip(images, boxes, strict=True)]
    torch.testing.assert_close(found, torch.cat(apart), atol=1e-5, rtol=1e-4)
    without = teacher.encode_regions(images, boxes, policy=DenseRegions(192))
    assert (without * found).sum(dim=1).max() < 0.99


def test_a_mapped_teacher_maps_the_regions(teacher):
    mapped = build_teacher(
        dict(model="ovshapes", embedding_map="ovshapes-clip", crops=teacher.crops)
    )
    own, box = image(64, 96), torch.tensor([[5.0, 5, 40, 30]])
    expected = mapped.embedding_map.images(teacher.encode_regions(own, box))
    torch.testing.assert_close(mapped.encode_regions(own, box), expected)


@pytest.mark.parametrize("stage", [0, -1, 1.5, True, "3"])
def test_a_stage_that_is_none(stage):
    with pytest.raises(UserError, match="stage"):
        DenseRegions(192, stage)


def test_a_teacher_of_ones_own_has_no_stages(teacher):
    batch = DenseBatch(image(64, 64)[None], (torch.tensor([[5.0, 5, 40, 30]]),), stage=3)
    with pytest.raises(UserError, match="has no stages"):
        Teacher.embed_dense(teacher, batch)
