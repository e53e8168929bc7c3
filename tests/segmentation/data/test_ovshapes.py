"""Label maps of OVShapes are those of its drawings."""

import numpy as np
import pytest
from mmdet.registry import DATASETS

import ovdistill.segmentation.register  # noqa: F401
from ovdistill.datasets.build_vocabulary import select_names
from ovdistill.datasets.names import find_names
from ovdistill.ovshapes.generate import image_plan, make_ovshapes
from ovdistill.ovshapes.scenes import scene
from ovdistill.segmentation.data.label_map import UNLABELLED
from ovdistill.teacher import build_teacher
from ovdistill.vocabulary import TEMPLATES, Vocabulary

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
            serialize_data=False,  # mmengine collects garbage for it
            ann_file="annotations/instances_val.json",
            data_prefix=dict(img_path="images"),
            pipeline=PIPELINE,
        )
        | more
    )


def test_every_pixel_is_what_was_drawn_there(root):
    data = build(root, test_mode=True)
    names = data.metainfo["classes"]
    assert len(names) == 66 and sum(data.metainfo["is_base"]) == 51
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
        assert {names[row] for row in rows[left]} == {"background"}
        assert {*segments[left]} == {0}
        assert len({*segments.flat}) == len(drawn.objects) + 1


def test_novel_objects_are_unlabelled_in_training(root):
    test, train = build(root, test_mode=True), build(root)
    is_base = np.array(test.metainfo["is_base"])
    unlabelled = 0
    for index in range(4):
        samples = (data[index]["data_samples"] for data in (test, train))
        full, seen = (sample.gt_sem_seg.sem_seg.numpy() for sample in samples)
        assert np.array_equal(seen, np.where(is_base[full], full, UNLABELLED))
        unlabelled += (seen == UNLABELLED).sum()
    assert unlabelled


def test_no_two_class_names_are_the_same_to_the_teacher():
    """A classifier made of texts could not tell them apart, whatever it has learned."""
    teacher = build_teacher(dict(model="ovshapes"))
    names = find_names("ovshapes").names
    texts = Vocabulary.encode(names, teacher, TEMPLATES["single"]).embeddings
    assert (texts @ texts.T).fill_diagonal_(-1).max() < 0.9
