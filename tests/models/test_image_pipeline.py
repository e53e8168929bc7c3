"""Network inputs of images in memory: the fast way equals mmdet's transforms to the bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import Compose

from ovdistill.core.assets import STUDENT_CONFIG
from ovdistill.models.config import load_config
from ovdistill.models.image_pipeline import (
    ResizeAndPack,
    _build_of_transforms,
    build_image_pipeline,
)

RECIPES = sorted((Path(__file__).parents[2] / "configs").glob("*.py"))
SHAPES = [(75, 100), (100, 75), (128, 128), (333, 500), (3, 4000), (4000, 3), (1, 1)]
RESIZE = dict(type="OVResize", scale=(96, 64), keep_ratio=True)
PACK = dict(type="PackOVInputs", meta_keys=("img_id", "ori_shape", "img_shape", "scale_factor"))


def image_of(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def check_equal(steps: list[dict], shape: tuple[int, int]) -> None:
    plain = ResizeAndPack.of(steps)
    assert plain is not None
    found, expected = (
        pipeline({"img": image_of(*shape), "img_id": 7})
        for pipeline in (plain, _build_of_transforms(steps))
    )
    assert found.keys() == expected.keys()
    assert torch.equal(found["inputs"], expected["inputs"])
    assert found["inputs"].dtype == expected["inputs"].dtype
    assert found["inputs"].stride() == expected["inputs"].stride()
    ours, theirs = found["data_samples"], expected["data_samples"]
    assert ours.metainfo == theirs.metainfo and type(ours) is type(theirs)
    assert ours.keys() == theirs.keys()
    assert not ours.gt_instances.keys() and not theirs.gt_instances.keys()


def inference_steps(config: Config) -> list[dict]:
    return [step for step in config.test_pipeline if not step["type"].startswith("Load")]


def test_all_pipelines_of_recipes_equal_those_of_mmdet() -> None:
    configs = [load_config(path) for path in (*RECIPES, STUDENT_CONFIG)]
    configs = [own for own in configs if "Segmentor" not in own.model.type]  # they pack label maps
    distinct = {str(steps): steps for steps in map(inference_steps, configs)}
    assert len(distinct) >= 3  # of OVShapes and of photos
    for steps in distinct.values():
        for shape in SHAPES:
            check_equal(steps, shape)


@pytest.mark.parametrize(
    "resize",
    [
        dict(type="OVResize", scale=(96, 64)),
        dict(type="mmdet.Resize", scale=(64, 96), keep_ratio=True),
        dict(type="Resize", scale=(500, 300), keep_ratio=False),
    ],
)
@pytest.mark.parametrize("shape", SHAPES)
def test_resizing_equals_that_of_mmdet(resize: dict, shape: tuple[int, int]) -> None:
    check_equal([resize, PACK], shape)


@pytest.mark.parametrize(
    "steps",
    [
        [dict(type="OVResize", scale_factor=0.5), PACK],
        [dict(RESIZE, interpolation="nearest"), PACK],
        [dict(RESIZE, scale=96), PACK],
        [RESIZE, dict(type="Pad", size_divisor=32), PACK],
        [RESIZE, dict(PACK, meta_keys=("img_id", "img_shape", "homography_matrix"))],
        [RESIZE, dict(type="PackDetInputs")],
        [PACK],
    ],
)
def test_any_other_pipeline_is_built_of_the_transforms(steps: list[dict]) -> None:
    assert ResizeAndPack.of(steps) is None
    config = Config(dict(test_pipeline=[dict(type="LoadImage"), *steps]))
    pipeline = build_image_pipeline(config)
    assert isinstance(pipeline, Compose)
    packed = pipeline({"img": image_of(30, 40), "img_id": 7})
    assert packed["inputs"].shape[0] == 3 and packed["data_samples"].img_id == 7


def test_a_pipeline_of_a_recipe_takes_an_image_in_memory() -> None:
    data = build_image_pipeline(load_config("vild_r18_shapes"))(
        dict(img=image_of(40, 80), img_id=7)
    )
    sample = data["data_samples"]
    assert data["inputs"].shape == (3, 64, 128)
    assert sample.ori_shape == (40, 80) and sample.img_id == 7 and sample.img_path is None
