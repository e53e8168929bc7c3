"""Label maps of OVShapes are those of its drawings."""

import numpy as np
import pytest
from mmdet.registry import DATASETS

import ovdistill.segmentation.register  # noqa: F401
from ovdistill.core.errors import UserError
from ovdistill.datasets.build_vocabulary import select_names
from ovdistill.ovshapes.categories import BACKGROUNDS, caption_background, scene_caption
from ovdistill.ovshapes.generate import image_plan, make_ovshapes
from ovdistill.ovshapes.scenes import scene
from ovdistill.segmentation.data.label_map import IGNORE

from ..label_files import vocabulary_of

PIPELINE = [
    dict(type="LoadImage"),
    dict(type="LoadLabelMap", with_segments=True),
    dict(type="PackSegmentationInputs"),
]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shapes")
    return make_ovshapes(folder, seed=3, train=4, val=4, test=1, size=64, workers=1)


def build(root, **more):
    _, names, is_base = select_names("ovshapes", "shape")
    novel = [name for name, base in zip(names.names, is_base, strict=True) if not base]
    return DATASETS.build(
        dict(
            type="OVShapesSegmentationDataset",
            vocabulary=vocabulary_of(names.names, novel),
            data_root=str(root),
            ann_file="annotations/instances_val.json",
            data_prefix=dict(img_path="images"),
            pipeline=PIPELINE,
        )
        | more
    )


def test_every_pixel_is_what_was_drawn_there(root):
    data = build(root, test_mode=True)
    names = data.metainfo["classes"]
    assert len(names) == 71 and sum(data.metainfo["is_base"]) == 56
    for index in range(4):
        rng, weights, required = image_plan(3, "val", index)
        drawn = scene(rng, weights, 64, required)
        truth = data[index]["data_samples"].gt_panoptic_seg
        rows, segments = truth.sem_seg[0].numpy(), truth.segments[0].numpy()
        left = np.ones((64, 64), bool)
        for thing in drawn.objects:
            assert {names[row] for row in rows[thing.mask]} == {thing.name}
            assert len({*segments[thing.mask]}) == 1
            left &= ~thing.mask
        assert {names[row] for row in rows[left]} == {f"{drawn.background} background"}
        assert {*segments[left]} == {0}
        assert len({*segments.flat}) == len(drawn.objects) + 1


def test_novel_objects_are_ignored_in_training(root):
    test, train = build(root, test_mode=True), build(root)
    is_base = np.array(test.metainfo["is_base"])
    ignored = 0
    for index in range(4):
        samples = (data[index]["data_samples"] for data in (test, train))
        full, seen = (sample.gt_sem_seg.sem_seg.numpy() for sample in samples)
        assert np.array_equal(seen, np.where(is_base[full], full, IGNORE))
        ignored += (seen == IGNORE).sum()
    assert ignored


def test_captions_say_the_background():
    for kind in BACKGROUNDS:
        assert caption_background(scene_caption([("red", None, "ring")], kind)) == kind
    assert caption_background(scene_caption([("red", None, "ring")], "")) == ""


def test_captions_without_backgrounds(root, tmp_path):
    (tmp_path / "annotations").mkdir()
    for kind in ("instances", "captions"):
        text = (root / f"annotations/{kind}_val.json").read_text()
        (tmp_path / f"annotations/{kind}_val.json").write_text(text.replace(" background", ""))
    with pytest.raises(UserError, match="captions_val.json"):
        build(root, data_root=str(tmp_path))
