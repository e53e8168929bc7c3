"""Repeat-factor sampling counts base classes only."""

import json
from pathlib import Path

import pytest
import torch
from mmdet.registry import DATASETS

import ovdistill.models.register  # noqa: F401
from ovdistill.core.teacher_id import TeacherId
from ovdistill.models.config import load_config
from ovdistill.vocabulary import Vocabulary

CONFIGS = Path(__file__).parents[1] / "configs"
RARE_BASE, RARE_NOVEL, EMPTY = 3, 5, 7  # the images with one dog, with one emu, with nothing


@pytest.fixture
def root(tmp_path):
    """16 images: a cat in all but one, one dog (base), one emu (novel)."""
    objects = [[5] for _ in range(16)]
    objects[RARE_BASE].append(7)
    objects[RARE_NOVEL].append(9)
    objects[EMPTY] = []
    annotations = [
        dict(image_id=image_id, category_id=category_id, bbox=[2, 2, 9, 9], area=81)
        for image_id, present in enumerate(objects)
        for category_id in present
    ]
    content = dict(
        images=[dict(id=i, file_name=f"{i}.png", height=64, width=64) for i in range(16)],
        annotations=annotations,
        categories=[dict(id=i, name=n) for i, n in ((5, "cat"), (7, "dog"), (9, "emu"))],
    )
    (tmp_path / "ann.json").write_text(json.dumps(content))
    return tmp_path


def repeats(root: Path, recipe: str, labelled: str = "base") -> list[int]:
    """How often each image comes; a class below a quarter of the images counts as infrequent."""
    wrapped = load_config(CONFIGS / recipe).train_dataloader.dataset
    assert (wrapped.type, wrapped.oversample_thr) == ("ClassBalancedDataset", 1e-3)
    vocabulary = Vocabulary(
        ("cat", "dog", "emu"), torch.eye(3), torch.tensor([True, True, False]), TeacherId("test")
    )
    dataset = dict(
        wrapped.dataset,
        vocabulary=vocabulary,
        labelled=labelled,
        data_root=str(root),
        ann_file="ann.json",
        pipeline=[],
    )
    balanced = DATASETS.build(dict(wrapped, oversample_thr=0.25, dataset=dataset))
    ids = [balanced.get_data_info(n)["img_id"] for n in range(len(balanced))]
    return [ids.count(image_id) for image_id in range(16)]


def test_factors_come_from_base_classes(root):
    expected = [1] * 16
    expected[RARE_BASE] = 2  # sqrt(0.25 / (1 / 16))
    assert repeats(root, "vild_rfs_r50_lvis.py") == expected
    # the same file with every annotation repeats the emu: what the recipe must not see
    expected[RARE_NOVEL] = 2
    assert repeats(root, "vild_rfs_r50_lvis.py", labelled="all") == expected


def test_images_without_a_box_stay_where_regions_are_distilled(root):
    without = [int(n != EMPTY) for n in range(16)]
    without[RARE_BASE] = 2  # 1 / 15 of the images: sqrt(3.75) = 1.94, rounded up
    assert repeats(root, "rkd_base_r50_lvis.py") == without
    assert repeats(root, "vild_star_r50_lvis.py") == without  # as DetPro's code
    with_it = [*without]
    with_it[EMPTY] = 1
    assert repeats(root, "rkd_r50_lvis.py") == with_it
