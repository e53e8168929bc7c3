import pytest
import torch

from ovdistill.errors import UserError
from ovdistill.teacher.crops import CropPolicy

BOX = torch.tensor([[10.0, 20.0, 30.0, 30.0]])  # 20 wide, 10 high, centre (20, 25)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        # square: side 20 and 30 about (20, 25)
        (CropPolicy(), [[10, 15, 30, 35], [5, 10, 35, 40]]),
        # squash: the box; 1.5x is x1 - 0.25 w ... x2 + 0.25 w
        (CropPolicy(shape="squash"), [[10, 20, 30, 30], [5, 17.5, 35, 32.5]]),
        (CropPolicy(scales=(2.0,), outside="clip"), [[0, 5, 28, 32]]),
        (CropPolicy(scales=(2.0,), outside="pad"), [[0, 5, 40, 45]]),
    ],
)
def test_crop_boxes_by_hand(policy, expected):
    crops = policy.crop_boxes(BOX, (32, 28))
    assert crops.shape == (1, len(policy.scales), 4)
    assert crops[0].tolist() == expected


def test_crop_of_the_whole_picture_is_the_picture():
    image = torch.randint(0, 256, (3, 24, 24), dtype=torch.uint8)
    crops = CropPolicy(scales=(1.0,)).crop(image, torch.tensor([[0.0, 0.0, 24.0, 24.0]]), 24)
    assert torch.equal(crops[0], image.float())


def test_crop_on_whole_pixels_is_a_slice():
    image = torch.rand(3, 20, 30)
    crops = CropPolicy(scales=(1.0,)).crop(image, torch.tensor([[5.0, 2.0, 13.0, 10.0]]), 8)
    torch.testing.assert_close(crops[0], image[:, 2:10, 5:13])


def test_crop_averages_when_it_shrinks():
    # Columns 0, 1, 0, 1, ...: half as many output columns are all 0.5, not every second one.
    image = (torch.arange(16) % 2).float().expand(3, 16, 16)
    crops = CropPolicy(scales=(1.0,)).crop(image, torch.tensor([[0.0, 0.0, 16.0, 16.0]]), 8)
    torch.testing.assert_close(crops, torch.full_like(crops, 0.5))


def test_border_pads_with_black_or_clips():
    image = torch.ones(3, 8, 8)
    corner = torch.tensor([[-4.0, -4.0, 4.0, 4.0]])
    padded = CropPolicy(scales=(1.0,)).crop(image, corner, 8)[0, 0]
    assert padded[4:, 4:].eq(1).all() and padded[:3].eq(0).all() and padded[:, :3].eq(0).all()
    assert CropPolicy(scales=(1.0,), outside="clip").crop(image, corner, 8).eq(1).all()


def test_scales_of_a_box_follow_each_other():
    image = torch.rand(3, 32, 32)
    boxes = torch.tensor([[8.0, 8, 16, 16], [4.0, 4, 20, 20]])
    crops = CropPolicy().crop(image, boxes, 8)
    assert crops.shape == (4, 3, 8, 8)
    for row, scale in enumerate((1.0, 1.5)):
        alone = CropPolicy(scales=(scale,)).crop(image, boxes[1:], 8)
        assert torch.equal(crops[2 + row], alone[0])


def test_fuse_by_hand():
    raw = torch.tensor([[3.0, 0.0], [0.0, 4.0]])  # one box, two scales
    torch.testing.assert_close(CropPolicy().fuse_scales(raw), torch.tensor([[0.6, 0.8]]))
    even = CropPolicy(fuse="unit_sum").fuse_scales(raw)
    torch.testing.assert_close(even, torch.tensor([[0.5**0.5, 0.5**0.5]]))


def test_no_boxes():
    assert CropPolicy().crop(torch.rand(3, 8, 8), torch.zeros(0, 4), 4).shape == (0, 3, 4, 4)


def test_dict_round_trip():
    policy = CropPolicy(scales=(1.0, 2.0), shape="squash", outside="clip", fuse="unit_sum")
    assert CropPolicy(**policy.to_dict()) == policy


@pytest.mark.parametrize(
    "bad", [{"scales": ()}, {"scales": (0.0,)}, {"shape": "round"}, {"outside": ""}, {"fuse": "x"}]
)
def test_bad_policy(bad):
    with pytest.raises(UserError, match="expected"):
        CropPolicy(**bad)
