"""Regions from one pass over their image: sizes, batches, pooling, and who has it."""

import pytest
import torch
from torch.nn.functional import interpolate, normalize

from ovdistill.core.errors import UserError
from ovdistill.teacher import CropPolicy, DenseRegions, build_teacher, region_policy
from ovdistill.teacher.dense_regions import pool_boxes
from ovdistill.teacher.region_policy import describe


@pytest.fixture(scope="module")
def teacher():
    return build_teacher(dict(model="ovshapes", crops=dict(mode="dense", size=192)))


def image(height, width):
    return torch.randint(0, 256, (3, height, width), dtype=torch.uint8)


def test_the_config_chooses_crops_or_one_pass(teacher):
    assert teacher.crops == DenseRegions(192) == region_policy(DenseRegions(192))
    assert teacher.crops.to_dict() == dict(mode="dense", size=192)
    assert region_policy(teacher.crops.to_dict()) == teacher.crops
    assert region_policy(None) == region_policy(dict(mode="crops")) == CropPolicy()
    inherited = dict(scales=(1.0,), mode="dense", size=192)
    assert region_policy(inherited) == teacher.crops
    assert "mode" not in CropPolicy().to_dict()  # stores of earlier versions stay valid
    assert describe(CropPolicy())["mode"] == "crops" and describe(teacher.crops)["mode"] == "dense"


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        (dict(mode="fast"), "'fast'"),
        (dict(mode="dense", size=0), "size 0"),
        (dict(mode="dense", size=10.5), "size 10.5"),
        (dict(mode="dense", sizes=10), "'sizes'; expected mode 'crops': scales"),
    ],
)
def test_a_policy_that_is_none(arguments, value):
    with pytest.raises(UserError, match=value):
        region_policy(arguments)


@pytest.mark.parametrize(
    ("side", "expected"),
    [
        ((480, 640), (480, 640)),
        ((480, 641), (480, 640)),
        ((100, 50), (640, 320)),
        ((10, 4000), (32, 640)),
    ],
)
def test_input_sizes_are_whole_positions(side, expected):
    assert DenseRegions(640).input_size(*side, stride=32) == expected


def test_pooling_by_hand():
    features = torch.arange(12.0).reshape(1, 1, 3, 4)
    features = torch.cat([features, torch.ones(1, 1, 3, 4)], dim=1)
    boxes = torch.tensor([[0.0, 0, 20, 10], [10, 10, 30, 30], [35, 25, 40, 30], [90, -9, 95, -2]])
    # cells of 10 pixels: two of the first row, four of the middle, the last one, the nearest one
    means = torch.tensor([[0.5, 1.0], [7.5, 1.0], [11.0, 1.0], [3.0, 1.0]])
    torch.testing.assert_close(pool_boxes(features, [boxes], 10), normalize(means))


def test_regions_are_pooled_from_one_pass(teacher):
    own = image(100, 128)
    boxes = torch.tensor([[5.0, 5, 40, 30], [0, 0, 128, 100], [100, 40, 160, 90]])
    regions = teacher.encode_regions(own, boxes)
    assert (regions.shape, regions.dtype) == ((3, 128), torch.float32)
    torch.testing.assert_close(regions.norm(dim=1), torch.ones(3))
    resized = interpolate(own[None], size=(160, 192), mode="bilinear", antialias=True)
    scale = torch.tensor([192 / 128, 160 / 100] * 2)
    features = teacher.encode_dense(resized)
    assert features.shape == (1, 128, 5, 6)
    torch.testing.assert_close(features.norm(dim=1), torch.ones(1, 5, 6))
    torch.testing.assert_close(regions, pool_boxes(features, [boxes * scale], 32))
    torch.testing.assert_close(features, teacher.encode_dense(resized / 255), atol=1e-5, rtol=0)
    # the policy of the call wins over the teacher's
    cropped = teacher.encode_regions(own, boxes, policy=CropPolicy())
    assert (cropped * regions).sum(dim=1).max() < 0.999


def test_images_of_one_size_share_a_pass(teacher):
    images = [image(100, 128), image(100, 128), image(100, 128), image(50, 50), image(100, 128)]
    box = torch.tensor([[5.0, 5, 40, 30]])
    boxes = [box, box[:0], box + 3, box.repeat(2, 1), box]
    pairs = list(zip(images, boxes, strict=True))
    batches = list(teacher.region_batches(pairs, batch_size=100))
    shapes = [(tuple(b.images.shape), [len(own) for own in b.boxes]) for b in batches]
    assert shapes == [
        ((2, 3, 160, 192), [1, 1]), ((1, 3, 192, 192), [2]), ((1, 3, 160, 192), [1])
    ]  # fmt: skip
    assert len(list(teacher.region_batches(pairs, batch_size=1))) == 4
    together = teacher.encode_regions(images, boxes)
    apart = [teacher.encode_regions(own, b) for own, b in zip(images, boxes, strict=True)]
    torch.testing.assert_close(together, torch.cat(apart), atol=1e-5, rtol=1e-4)
    assert teacher.encode_regions(images[:1], [box[:0]]).shape == (0, 128)


def test_a_mapped_teacher_maps_positions_and_regions(teacher):
    mapped = build_teacher(
        dict(model="ovshapes", embedding_map="ovshapes-clip", crops=DenseRegions(192))
    )
    own, box = image(64, 96), torch.tensor([[5.0, 5, 40, 30]])
    change = mapped.embedding_map.images
    expected = change(teacher.encode_regions(own, box))
    torch.testing.assert_close(mapped.encode_regions(own, box), expected)
    plain = teacher.encode_dense(own[None])
    positions = mapped.encode_dense(own[None])
    assert positions.shape == (1, mapped.embed_dim, 2, 3)
    torch.testing.assert_close(positions[0, :, 1, 2], change(plain[:, :, 1, 2])[0])


@pytest.mark.parametrize("stage", [None, 3])
def test_reduced_precision_stays_close(teacher, stage):
    policy = DenseRegions(192, stage)
    half = build_teacher(dict(model="ovshapes", precision="bf16", crops=policy))
    own, box = image(64, 96), torch.tensor([[5.0, 5, 40, 30]])
    found = half.encode_regions(own, box)
    assert found.dtype == torch.float32
    assert (found * teacher.encode_regions(own, box, policy=policy)).sum() > 0.99
