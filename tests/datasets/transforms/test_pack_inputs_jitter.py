"""Large-scale jitter of the LVIS recipe moves regions exactly as it moves the image.

The image is its own ruler: red is the column and green the row of every pixel, so that where a
point went is read from the pixels, not from what the transforms say about themselves. Its pixels
are float32, because OpenCV rounds 8-bit ones with a bias of an eighth of a step when it resizes.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.registry import TRANSFORMS
from mmengine.dataset import Compose

import ovdistill.models.register  # noqa: F401
from ovdistill.datasets.transforms.pack_inputs import PackOVInputs
from ovdistill.models.config import load_config
from ovdistill.store import Regions, write_store

CONFIG = Path(__file__).parents[3] / "configs" / "vild_r50_lvis.py"
HEIGHT, WIDTH = 200, 250
MIN_SIDE, MIN_VISIBLE = 2.0, 0.5  # PackOVInputs' own


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The store of the image's regions: a grid in three sizes, embeddings one-hot."""
    work = tmp_path_factory.mktemp("jitter")
    boxes = [
        [x1 + 0.3, y1 + 0.7, x1 + side, y1 + 0.6 * side]
        for side in (12.25, 60.0, 150.5)
        for x1 in range(0, WIDTH - int(side), 47)
        for y1 in range(0, HEIGHT - int(side), 39)
    ]
    count = len(boxes)
    regions = Regions(torch.tensor(boxes), torch.linspace(1, 0.1, count), torch.eye(count).half())
    write_store(work / "regions", [(7, regions)], {})
    return work, boxes


def send_through(work: Path, seed: int) -> dict:
    """The painted image, with one labelled object, through the recipe after its LoadImage."""
    config = load_config(CONFIG, {"regions": str(work / "regions")})
    assert config.train_pipeline[0].type == "LoadImage"
    steps = Compose([TRANSFORMS.build(step) for step in config.train_pipeline[1:]])
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    polygon = [[20.0, 30.0, 90.0, 30.0, 90.0, 110.0, 20.0, 110.0]]
    instance = dict(bbox=[20, 30, 90, 110], bbox_label=0, ignore_flag=0, mask=polygon)
    np.random.seed(seed)
    return steps(
        dict(
            img=np.stack([np.zeros_like(x), y, x], axis=2),  # BGR
            img_path="painted",
            img_id=7,
            img_shape=(HEIGHT, WIDTH),
            ori_shape=(HEIGHT, WIDTH),
            height=HEIGHT,
            width=WIDTH,
            instances=[instance],
        )
    )


def measured_map(colours: np.ndarray, axis: int) -> np.poly1d:
    """Original coordinate -> coordinate of the network input, read from one colour.

    Args:
        colours: (H, W) the colour that grows along the axis in the original.
        axis: 1 for columns, 0 for rows.
    """
    profile = colours.mean(axis=1 - axis)
    position = np.arange(len(profile)) + 0.5
    # beyond the centre of the outermost pixels the colour stays the same and says nothing
    inner = (profile > 0.5) & (profile < (HEIGHT, WIDTH)[axis] - 1.5)
    slope, offset = np.polyfit(position[inner], profile[inner] + 0.5, 1)
    assert np.abs(np.polyval([slope, offset], position[inner]) - profile[inner] - 0.5).max() < 0.01
    return np.poly1d([1 / slope, -offset / slope])


@pytest.mark.parametrize("seed", range(16))
def test_regions_follow_the_pixels_through_the_recipe(folder, seed):
    work, boxes = folder
    packed = send_through(work, seed)
    pixels = packed["inputs"].numpy().astype(np.float64)
    height, width = pixels.shape[1:]
    to_x, to_y = measured_map(pixels[2], 1), measured_map(pixels[1], 0)

    kept = packed["data_samples"].teacher_regions
    source = kept.embeddings.argmax(dim=1).tolist()
    found = dict(zip(source, kept.bboxes.tolist(), strict=True))
    assert len(found) == len(source)
    for number, (x1, y1, x2, y2) in enumerate(boxes):
        left, right = sorted([to_x(x1), to_x(x2)])
        top, bottom = sorted([to_y(y1), to_y(y2)])
        inside = np.clip([left, right], 0, width), np.clip([top, bottom], 0, height)
        (w, h) = (edge[1] - edge[0] for edge in inside)
        share = w * h / ((right - left) * (bottom - top))
        if share > MIN_VISIBLE + 0.01 and min(w, h) > MIN_SIDE + 0.1:
            expected = [inside[0][0], inside[1][0], inside[0][1], inside[1][1]]
            assert found[number] == pytest.approx(expected, abs=0.02)
        elif share < MIN_VISIBLE - 0.01 or min(w, h) < MIN_SIDE - 0.1:
            assert number not in found


def test_the_seeds_shrink_enlarge_crop_and_flip(folder):
    """The test above says something only if its seeds do all of this."""
    work, boxes = folder
    slopes, left_out = [], 0
    for seed in range(16):
        packed = send_through(work, seed)
        slopes.append(measured_map(packed["inputs"].numpy()[2].astype(float), 1)[1])
        left_out += len(packed["data_samples"].teacher_regions) < len(boxes)
    assert min(map(abs, slopes)) < 1.5 and max(map(abs, slopes)) > 5
    assert {slope > 0 for slope in slopes} == {True, False}
    assert 2 <= left_out < 16


def moved(box: list[float], **pack) -> list[list[float]]:
    """What is left of a region in an image of 40 x 40 that nothing moved."""
    regions = Regions(torch.tensor([box]), torch.ones(1), torch.eye(1).half())
    results = dict(img=np.zeros((40, 40, 3), np.uint8), img_shape=(40, 40), ori_shape=(40, 40))
    packed = PackOVInputs(**pack)(results | dict(teacher_regions=regions))
    return packed["data_samples"].teacher_regions.bboxes.tolist()


def test_thresholds_are_exact():
    # half of it is inside, which is just enough; a pixel more outside is too much
    assert moved([-10, 5, 10, 25], min_visible=0.5) == [[0, 5, 10, 25]]
    assert moved([-11, 5, 10, 25], min_visible=0.5) == []
    # a quarter, in a corner
    assert moved([30, 30, 50, 50], min_visible=0.25) == [[30, 30, 40, 40]]
    assert moved([30, 30, 50, 51], min_visible=0.25) == []
    # the side counts after clipping
    assert moved([38, 5, 40, 25], min_side=2) == [[38, 5, 40, 25]]
    assert moved([38.5, 5, 41, 25], min_side=2, min_visible=0) == []
    # wholly outside, touching the edge
    assert moved([40, 5, 60, 25], min_side=0, min_visible=0.01) == []
