"""Distillation regions go where the image goes, whatever transforms move it."""

import numpy as np
import pytest
import torch
from mmdet.registry import TRANSFORMS
from mmengine.dataset import Compose

import ovdistill.models.register  # noqa: F401 - mmdet's transforms, which record homographies
from ovdistill.core.errors import UserError
from ovdistill.datasets.transforms.pack_inputs import PackOVInputs
from ovdistill.store import Caption, Regions

HEIGHT, WIDTH = 40, 60
BOXES = [[6.0, 4.0, 26.0, 24.0], [30.0, 10.0, 54.0, 34.0]]


def run(steps: list[dict], boxes: list[list[float]] = BOXES, **pack) -> tuple[dict, np.ndarray]:
    """Sends an image with a bright rectangle for each box, and the boxes, through the steps."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for channel, (x1, y1, x2, y2) in enumerate(boxes):
        image[int(y1) : int(y2), int(x1) : int(x2), channel] = 255
    regions = Regions(
        torch.tensor(boxes), torch.linspace(1, 0.5, len(boxes)), torch.eye(8)[: len(boxes)].half()
    )
    results = dict(
        img=image,
        img_shape=image.shape[:2],
        ori_shape=image.shape[:2],
        teacher_regions=regions,
    )
    packed = Compose([*(TRANSFORMS.build(step) for step in steps), PackOVInputs(**pack)])(results)
    return packed["data_samples"].teacher_regions, packed["inputs"].numpy()


def bright(pixels: np.ndarray, channel: int) -> list[int]:
    """xyxy of what is bright in a channel."""
    rows, columns = np.nonzero(pixels[channel] > 127)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


CHAINS = {
    "nothing": [],
    "flip": [dict(type="RandomFlip", prob=1.0)],
    "vertical flip": [dict(type="RandomFlip", prob=1.0, direction="vertical")],
    "resize": [dict(type="Resize", scale=(120, 120), keep_ratio=True)],
    "stretch": [dict(type="Resize", scale=(120, 40), keep_ratio=False)],
    "crop": [dict(type="RandomCrop", crop_size=(36, 50), allow_negative_crop=True)],
    "large-scale jitter": [
        dict(type="RandomResize", scale=(60, 40), ratio_range=(0.8, 1.6), keep_ratio=True),
        dict(type="RandomCrop", crop_size=(36, 50), allow_negative_crop=True),
        dict(type="RandomFlip", prob=0.5),
    ],
}


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize("seed", range(3))
def test_regions_stay_on_their_pixels(name, seed):
    np.random.seed(seed)
    regions, pixels = run(CHAINS[name], min_visible=0.0)
    for box, embedding in zip(regions.bboxes, regions.embeddings, strict=True):
        channel = int(embedding.argmax())
        assert box.tolist() == pytest.approx(bright(pixels, channel), abs=1.5)
        if name in ("nothing", "flip", "vertical flip", "crop"):
            assert box.tolist() == bright(pixels, channel)


def test_flip_by_hand():
    regions, _ = run([dict(type="RandomFlip", prob=1.0)])
    assert regions.bboxes.tolist() == [[34, 4, 54, 24], [6, 10, 30, 34]]


def test_resize_then_flip_by_hand():
    regions, _ = run(
        [
            dict(type="Resize", scale=(120, 80), keep_ratio=True),
            dict(type="RandomFlip", prob=1.0),
        ]
    )
    assert regions.bboxes[0].tolist() == [68, 8, 108, 48]


def test_regions_that_left_the_image_are_dropped():
    # a crop of the left 20 columns keeps 14/20 of box 0 and nothing of box 1
    crop = [dict(type="RandomCrop", crop_size=(40, 20), allow_negative_crop=True)]
    np.random.seed(1)
    regions, pixels = run(crop, min_visible=0.5)
    left = [int(e.argmax()) for e in regions.embeddings]
    for channel, (x1, y1, x2, y2) in enumerate(BOXES):
        shown = (pixels[channel] > 127).sum() / ((x2 - x1) * (y2 - y1))
        assert (channel in left) == (shown >= 0.5)


def test_all_regions_dropped_leaves_empty_tensors():
    regions, _ = run([], boxes=[[1.0, 1.0, 2.0, 2.0]], min_side=5.0)
    assert regions.bboxes.shape == (0, 4) and regions.embeddings.shape == (0, 8)
    assert regions.embeddings.dtype == torch.float32


def test_padding_in_the_pipeline_is_refused():
    with pytest.raises(UserError, match="Pad"):
        run([dict(type="Pad", size=(64, 64))])


def test_a_caption_and_its_phrases_are_packed():
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    shape = image.shape[:2]
    caption = Caption(torch.eye(4)[0], torch.eye(4)[1:3])
    results = dict(img=image, img_shape=shape, ori_shape=shape, teacher_caption=caption)
    sample = PackOVInputs()(results)["data_samples"]
    assert torch.equal(sample.teacher_caption.embeddings, torch.eye(4)[:1])
    assert torch.equal(sample.teacher_phrases.embeddings, torch.eye(4)[1:3])
    assert "teacher_regions" not in sample and "image_level" not in sample.metainfo
    marked = PackOVInputs()(dict(results, image_level=True))["data_samples"]
    assert marked.metainfo["image_level"]


@pytest.mark.parametrize("size", [(40, 1), (1, 40), (1, 1), (40, 30)])
@pytest.mark.parametrize("direction", ["horizontal", "vertical", "diagonal"])
def test_flipped_images_of_any_shape_are_packed(size, direction):
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    flip = TRANSFORMS.build(dict(type="RandomFlip", prob=1.0, direction=direction))
    pack = TRANSFORMS.build(dict(type="PackOVInputs", meta_keys=("img_shape",)))
    packed = pack(flip(dict(img=image, img_shape=size)))
    axes = dict(horizontal=(1,), vertical=(0,), diagonal=(0, 1))[direction]
    np.testing.assert_array_equal(
        packed["inputs"].permute(1, 2, 0).numpy(), np.flip(image, axis=axes)
    )
