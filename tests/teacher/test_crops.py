"""What a crop shows: by hand, and against PIL with open_clip's own preprocessing."""

import numpy as np
import pytest
import torch
from open_clip.transform import image_transform
from PIL import Image
from torch.nn.functional import interpolate

from ovdistill.core.errors import UserError
from ovdistill.teacher.crops import CropPolicy
from ovdistill.teacher.region_policy import region_policy
from ovdistill.teacher.resample import resize_by_products

BOX = torch.tensor([[10.0, 20.0, 30.0, 30.0]])  # 20 wide, 10 high, centre (20, 25)
# long either way, tiny, of half pixels, beyond each border, and a whole image outside
BOXES = torch.tensor(
    [
        [10, 20, 70, 30],
        [40.5, 2.5, 47.2, 60.1],
        [20, 20, 21.5, 21.5],
        [-8, -5, 30, 22],
        [70, 50, 101.3, 77.8],
        [0, 0, 90, 70],
        [0.5, 31, 89.5, 32.6],
        [200, 200, 220, 230],
    ]
)


def make_image(height=70, width=90, seed=0):
    smooth = np.random.default_rng(seed).integers(0, 256, (height // 5, width // 5, 3), np.uint8)
    return Image.fromarray(smooth).resize((width, height), Image.BICUBIC)


def tensor(image):
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def crop(policy, image, boxes, size=32, interpolation="bicubic"):
    (crops,) = policy.crop([(image, boxes)], size, interpolation)
    return crops


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        # square: side 20 and 30 about (20, 25)
        (CropPolicy(), [[10, 15, 30, 35], [5, 10, 35, 40]]),
        # the box; 1.5x is x1 - 0.25 w ... x2 + 0.25 w, and 17.5, 32.5 round to even as in PIL
        (CropPolicy(shape="squash"), [[10, 20, 30, 30], [5, 18, 35, 32]]),
        (CropPolicy(scales=(2.0,), shape="clip"), [[0, 15, 40, 35]]),
        (CropPolicy(scales=(0.01,), shape="pad"), [[20, 25, 21, 26]]),
    ],
)
def test_rectangles_by_hand(policy, expected):
    assert policy.rectangles(BOX).tolist() == expected


@pytest.mark.parametrize(
    ("shape", "resized", "offset"),
    [
        ("clip", (32, 64), (0, -16)),  # 10 x 20 -> the middle of 32 x 64
        ("pad", (16, 32), (8, 0)),
        ("squash", (32, 32), (0, 0)),
    ],
)
def test_placement_by_hand(shape, resized, offset):
    policy = CropPolicy(scales=(1.0,), shape=shape)
    placed = policy.place(policy.rectangles(BOX), 32)
    assert tuple(placed.resized[0].tolist()) == resized
    assert tuple(placed.offset[0].tolist()) == offset


@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize(
    ("shape", "mode"), [("clip", "shortest"), ("pad", "longest"), ("squash", "squash")]
)
def test_crops_are_those_of_pil_and_open_clip(shape, mode, interpolation):
    image = make_image()
    preprocess = image_transform(
        32,
        is_train=False,
        mean=(0, 0, 0),
        std=(1, 1, 1),
        resize_mode=mode,
        interpolation=interpolation,
    )
    expected = [
        preprocess(image.crop(tuple(map(round, box)))).mul(255).round() for box in BOXES.tolist()
    ]
    policy = CropPolicy(scales=(1.0,), shape=shape)
    crops = crop(policy, tensor(image), BOXES, 32, interpolation)
    assert crops.dtype == torch.uint8
    difference = (crops.float() - torch.stack(expected)).abs()
    assert difference.amax() <= 2 and difference.mean() < 0.05


@pytest.mark.parametrize("shape", ["clip", "square", "pad", "squash"])
@pytest.mark.parametrize("fill", [(0, 0, 0), (200, 100, 50)])
def test_products_make_the_same_crops(shape, fill):
    images = [tensor(make_image(seed=seed, height=height)) for seed, height in ((0, 70), (1, 50))]
    policy = CropPolicy(shape=shape, fill=fill)
    (crops,) = policy.crop(zip(images, [BOXES, BOXES[:3]], strict=True), 32)
    placed = policy.place(policy.rectangles(torch.cat([BOXES, BOXES[:3]])), 32)
    index = torch.tensor([0] * 16 + [1] * 6)
    by_products = resize_by_products(images, index, placed, "bicubic")
    difference = (crops.float() - by_products.float()).abs()
    assert difference.amax() <= 2 and difference.mean() < 0.05


def test_batches_mix_images_and_change_nothing():
    images = [tensor(make_image(seed=seed, height=height)) for seed, height in ((0, 70), (1, 50))]
    stream = [(images[0], BOXES[:5]), (images[1], BOXES[:0]), (images[1], BOXES[5:])]
    policy = CropPolicy()
    (whole,) = policy.crop(stream, 32)
    for size, expected in ((7, [7, 7, 2]), (4, [4, 4, 4, 4])):
        parts = [*policy.crop(iter(stream), 32, batch_size=size)]
        assert [len(part) for part in parts] == expected
        assert torch.equal(torch.cat(parts), whole)
    assert list(policy.crop([(images[0], BOXES[:0])], 32)) == []


def test_a_crop_on_whole_pixels_is_a_slice():
    image = tensor(make_image())
    crops = crop(CropPolicy(scales=(1.0,)), image, torch.tensor([[5.0, 2.0, 37.0, 34.0]]))
    assert torch.equal(crops[0], image[:, 2:34, 5:37])


def test_outside_of_the_image_has_the_stated_colour():
    image = torch.full((3, 8, 8), 255, dtype=torch.uint8)
    corner = torch.tensor([[-4.0, -4.0, 4.0, 4.0]])
    crops = crop(CropPolicy(scales=(1.0,), fill=(10, 20, 30)), image, corner, 8)[0]
    assert crops[:, 4:, 4:].eq(255).all()
    assert crops[:, 0, 0].tolist() == crops[:, 7, 0].tolist() == [10, 20, 30]


def test_fusing_two_scales_by_hand():
    raw = torch.tensor([[3.0, 0.0], [0.0, 4.0]])  # one box: 1x, 1.5x
    torch.testing.assert_close(CropPolicy().fuse_scales(raw), torch.tensor([[0.6, 0.8]]))
    even = CropPolicy(fuse="norm_then_mean").fuse_scales(raw)
    torch.testing.assert_close(even, torch.tensor([[0.5, 0.5]]).sqrt())


def test_policy_survives_json():
    policy = CropPolicy(scales=(1.0, 2.0), shape="squash", fuse="norm_then_mean", fill=(1, 2, 3))
    assert CropPolicy(**policy.to_dict()) == policy


@pytest.mark.parametrize(
    "bad",
    [
        dict(scales=()),
        dict(scales=(0.0,)),
        dict(scales=(float("inf"),)),
        dict(shape="round"),
        dict(fuse="product"),
        dict(fill=(0, 0)),
        dict(fill=(0, 0, 256)),
        dict(scales="1,5"),
        dict(scales=2),
        dict(scales=["1"]),
        dict(fill=0),
    ],
)
def test_bad_policies(bad):
    with pytest.raises(UserError, match="expected"):
        CropPolicy(**bad)


def test_arguments_that_are_no_dict():
    with pytest.raises(UserError, match="got crops=5; expected dict"):
        region_policy(5)


@pytest.mark.parametrize("box", [[3, 5, 80, 12], [30, 1, 37, 69], [0, 10, 90, 41]])
def test_the_end_of_a_long_crop_is_cut_off_before_it_is_resized_and_nothing_moves(box):
    box, image = torch.tensor([box]).float(), tensor(make_image())
    policy = CropPolicy(scales=(1.0,), shape="clip")
    placed = policy.place(policy.rectangles(box), 32)
    x1, y1, x2, y2 = placed.rectangles[0].tolist()
    top, left = (-placed.offset[0]).tolist()
    whole = interpolate(
        image[None, :, y1:y2, x1:x2], placed.resized[0].tolist(), mode="bicubic", antialias=True
    )[0]
    expected = whole[:, top : top + 32, left : left + 32]
    assert (crop(policy, image, box)[0].float() - expected.float()).abs().amax() <= 1
