"""The official layouts are read by the data set, as the page shows it."""

import re
from pathlib import Path

import numpy as np
import pytest
from mmdet.registry import DATASETS

import ovdistill.segmentation.register  # noqa: F401
from ovdistill.datasets.build_vocabulary import select_names
from ovdistill.segmentation.data.label_map import IGNORE, UNLABELLED
from ovdistill.segmentation.data.official import LAYOUTS

from ..label_files import vocabulary_of, write_image

PAGE = Path(__file__).parents[3] / "docs/segmentation_data.md"


def draw(root, subset, values):
    """One image, and its map with these values in columns."""
    image, label_map = subset.pair(root, "a")
    write_image(image, np.zeros((8, 8, 3), np.uint8))
    pixels = np.tile(np.repeat(values, 8 // len(values)), (8, 1)).astype(np.uint8)
    write_image(label_map, pixels, "P")
    if subset.listed:
        (root / subset.listed).parent.mkdir(parents=True)
        (root / subset.listed).write_text("a\n")


def vocabulary(layout):
    _, names, is_base = select_names(layout.labels, layout.split)
    novel = [name for name, base in zip(names.names, is_base, strict=True) if not base]
    return vocabulary_of(names.names, novel)


def columns(data) -> list[int]:
    (row,) = {tuple(row) for row in data[0]["data_samples"].gt_sem_seg.sem_seg[0].tolist()}
    return list(row)


def test_the_config_of_the_page(tmp_path):
    layout = LAYOUTS["voc"]
    draw(tmp_path, layout.subsets["train"], [0, 15, 18, 255])  # person, sofa
    (block,) = re.findall(r"```python\n(custom_imports.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict = {}
    exec(block, names)
    config = names["train_dataloader"]["dataset"]
    config |= dict(vocabulary=vocabulary(layout), data_root=str(tmp_path), serialize_data=False)
    found = DATASETS.build(config)[0]["data_samples"].gt_sem_seg.sem_seg
    assert {*found.unique().tolist()} <= {IGNORE, UNLABELLED, 14}  # a crop may leave one out
    assert found.shape[1] == found.shape[2] > 8


@pytest.mark.parametrize(
    "kind, values, rows",
    [
        ("coco-stuff", [0, 20, 91, 181], [0, 19, 80, 170]),  # person, cow, banner, wood
        ("ade20k", [0, 1, 150, 22], [IGNORE, 0, 149, 21]),
    ],
)
@pytest.mark.parametrize("test_mode", [False, True])
def test_folders_without_lists(tmp_path, kind, values, rows, test_mode):
    layout = LAYOUTS[kind]
    subset = layout.subsets["val"]
    draw(tmp_path, subset, values)
    data = DATASETS.build(
        dict(
            type="SegmentationDataset",
            vocabulary=vocabulary(layout),
            labels=layout.labels,
            data_root=str(tmp_path),
            data_prefix=dict(img_path=subset.images, seg_map_path=subset.maps),
            serialize_data=False,
            test_mode=test_mode,
            pipeline=[
                dict(type="LoadImage"),
                dict(type="LoadLabelMap"),
                dict(type="PackSegmentationInputs"),
            ],
        )
    )
    is_base = data.metainfo["is_base"]
    kept = [row if test_mode or row < 0 or is_base[row] else UNLABELLED for row in rows]
    assert columns(data) == [row for row in kept for _ in range(2)]
