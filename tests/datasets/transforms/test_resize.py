"""Images of any shape are resized; ordinary ones exactly as mmdet does it."""

from __future__ import annotations

import numpy as np
import pytest
from mmdet.datasets.transforms import Resize
from mmdet.registry import TRANSFORMS
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import BitmapMasks, PolygonMasks

import ovdistill.models.register  # noqa: F401
from ovdistill.datasets.transforms.resize import OVResize


def record(height: int, width: int, masks: str = "bitmap") -> dict:
    """Return an image with one box, all of the image, and its mask."""
    box = [0, 0, width, height]
    polygon = np.array([0, 0, width, 0, width, height, 0, height], dtype=float)
    return dict(
        img=np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8),
        gt_bboxes=HorizontalBoxes(np.array([box], dtype=np.float32)),
        gt_masks=BitmapMasks(np.ones((1, height, width), np.uint8), height, width)
        if masks == "bitmap"
        else PolygonMasks([[polygon]], height, width),
    )


@pytest.mark.parametrize("masks", ["bitmap", "polygon"])
@pytest.mark.parametrize(
    ("size", "expected"),
    [((4000, 3), (128, 1)), ((3, 4000), (1, 128)), ((1, 900), (1, 128)), ((1, 1), (128, 128))],
)
def test_thin_images_keep_a_pixel_and_their_boxes(size, expected, masks) -> None:
    found = OVResize(scale=(128, 128), keep_ratio=True)(record(*size, masks))
    height, width = expected
    assert found["img"].shape == (height, width, 3) and found["img_shape"] == expected
    np.testing.assert_allclose(found["gt_bboxes"].tensor[0], [0, 0, width, height], atol=0.01)
    assert (found["gt_masks"].height, found["gt_masks"].width) == expected
    np.testing.assert_allclose(
        found["homography_matrix"], np.diag([width / size[1], height / size[0], 1]), rtol=1e-5
    )


@pytest.mark.parametrize("options", [dict(scale=(128, 96)), dict(scale_factor=0.5)])
@pytest.mark.parametrize("keep_ratio", [True, False])
def test_ordinary_images_are_resized_as_by_mmdet(options, keep_ratio) -> None:
    ours = OVResize(**options, keep_ratio=keep_ratio)(record(75, 100))
    theirs = Resize(**options, keep_ratio=keep_ratio)(record(75, 100))
    np.testing.assert_array_equal(ours["img"], theirs["img"])
    np.testing.assert_array_equal(ours["gt_bboxes"].tensor, theirs["gt_bboxes"].tensor)
    assert ours["scale_factor"] == theirs["scale_factor"]


def test_random_resizing_takes_it() -> None:
    step = TRANSFORMS.build(
        dict(
            type="RandomResize",
            resize_type="OVResize",
            scale=(100, 100),
            ratio_range=(0.1, 0.2),
            keep_ratio=True,
        )
    )
    assert isinstance(step.resize, OVResize)
    assert min(step(record(4000, 3))["img"].shape) >= 1
