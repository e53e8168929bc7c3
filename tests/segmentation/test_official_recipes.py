"""The pipelines of the recipes for VOC and COCO-Stuff on made-up files in the official layout."""

from __future__ import annotations

import numpy as np
import pytest
from mmdet.registry import DATASETS

from ovdistill.extraction.needed import _annotations
from ovdistill.models.config import load_config
from ovdistill.segmentation.data.label_map import IGNORE, UNLABELLED
from ovdistill.segmentation.data.official import LAYOUTS
from tests.segmentation.label_files import vocabulary_of, write_image

# of these VOC has the first two, COCO-Stuff the last two
WORDS = vocabulary_of(("aeroplane", "sheep", "person", "cow"), novel=("sheep", "cow"))


def dataset_of(recipe: str, root, loader: str):
    config = load_config(recipe, {"data_root": str(root)})
    return DATASETS.build(dict(config[loader].dataset, vocabulary=WORDS))


def voc(root):
    """An image of an aeroplane on the left and a sheep on the right (values 1 and 17)."""
    labels = np.full((60, 80), 1, np.uint8)
    labels[:, 40:] = 17
    image = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    write_image(root / "JPEGImages/a.jpg", image)
    for folder in ("SegmentationClass", "SegmentationClassAug"):
        write_image(root / folder / "a.png", labels)
    lists = root / "ImageSets/Segmentation"
    lists.mkdir(parents=True)
    for subset in LAYOUTS["voc"].subsets.values():  # as `prepare-segmentation voc` looks for them
        (root / subset.listed).write_text("a\n")
    return "lseg_r50_voc", 0, 1


def stuff(root):
    """An image of a person on the left and a cow on the right (values 0 and 20)."""
    labels = np.full((60, 80), 0, np.uint8)
    labels[:, 40:] = 20
    image = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    for subset in ("train2017", "val2017"):
        write_image(root / subset / "000000000009.jpg", image)
        write_image(root / "stuffthingmaps" / subset / "000000000009.png", labels)
    return "maskclip_plus_r50_stuff", 2, 3


@pytest.mark.parametrize("make", [voc, stuff])
def test_training_crops_know_base_names_and_tests_have_the_size_of_the_image(make, tmp_path):
    recipe, base, novel = make(tmp_path)
    train = dataset_of(recipe, tmp_path, "train_dataloader")[0]
    labels = train["data_samples"].gt_sem_seg.sem_seg
    assert train["inputs"].shape[1:] == labels.shape[1:] and max(labels.shape) <= 512
    assert set(labels.unique().tolist()) <= {IGNORE, UNLABELLED, base}
    test = dataset_of(recipe, tmp_path, "val_dataloader")[0]
    labels = test["data_samples"].gt_sem_seg.sem_seg
    assert labels.shape == (1, 60, 80)
    assert set(labels.unique().tolist()) == {base, novel}
    assert test["inputs"].shape[1:] == (512, 683)


def test_a_data_set_without_a_list_needs_no_annotation_file(tmp_path):
    config = load_config("maskclip_plus_r50_stuff", {"data_root": str(tmp_path)})
    assert list(_annotations(config, None, None, for_training=True)) == []
    config = load_config("lseg_r50_voc", {"data_root": str(tmp_path)})
    assert len(list(_annotations(config, None, None, for_training=True))) == 1
