"""The hooks that draw the results of a test run beside the truth."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData, PixelData

import ovdistill.models.register  # noqa: F401
from ovdistill.core.images import read_image, write_image
from ovdistill.core.teacher_id import TeacherId
from ovdistill.datasets.ov_dataset import OVDataset
from ovdistill.inference.draw_hook import DrawDetections, DrawLabelMaps
from ovdistill.visualization.palette import class_colour
from ovdistill.vocabulary import Vocabulary

NAMES = ("a.png", "b.png", "one/1.png", "two/1.png")


@pytest.fixture
def runner(tmp_path) -> SimpleNamespace:
    """Four grey images of 64 x 64; in each a star in the middle, and none in the second."""
    for name in NAMES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_image(tmp_path / name, np.full((64, 64, 3), 90, np.uint8))
    square = [16, 16, 48, 16, 48, 48, 16, 48]
    stars = [
        dict(
            id=i,
            image_id=i,
            category_id=3,
            bbox=[16, 16, 32, 32],
            area=1024,
            segmentation=[square],
            iscrowd=0,
        )
        for i in (1, 3, 4)
    ]
    images = [
        dict(id=i, file_name=name, height=64, width=64) for i, name in enumerate(NAMES, start=1)
    ]
    content = dict(images=images, annotations=stars, categories=[dict(id=3, name="star")])
    (tmp_path / "annotations.json").write_text(json.dumps(content))
    data_set = OVDataset(
        vocabulary=Vocabulary(
            names=("star",),
            embeddings=torch.eye(1),
            is_base=torch.tensor([True]),
            teacher=TeacherId("some:tag", "abc"),
        ),
        labelled="all",
        ann_file=str(tmp_path / "annotations.json"),
        data_prefix=dict(img=str(tmp_path)),
        pipeline=[],
        test_mode=True,
    )
    return SimpleNamespace(test_dataloader=SimpleNamespace(dataset=data_set))


def output(runner: SimpleNamespace, index: int, score: float) -> DetDataSample:
    """A detection of a star in the upper left corner of an image."""
    record = runner.test_dataloader.dataset.get_data_info(index)
    sample = DetDataSample(metainfo=dict(img_path=record["img_path"], img_id=record["img_id"]))
    sample.pred_instances = InstanceData(
        bboxes=torch.tensor([[2.0, 8, 12, 20]]),
        scores=torch.tensor([score]),
        labels=torch.tensor([0]),
    )
    return sample


def test_the_first_images_are_drawn_with_the_truth_beside(tmp_path, runner):
    hook = DrawDetections(tmp_path / "out", count=2, score_threshold=0.3)
    hook.after_test_iter(runner, 0, outputs=[output(runner, 0, 0.9)])
    hook.after_test_iter(runner, 1, outputs=[output(runner, i, 0.1) for i in (1, 2)])
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"a.png", "b.png"}
    both, neither = (read_image(tmp_path / "out" / name) for name in ("a.png", "b.png"))
    assert both.shape[1] > 1280 and both.shape[0] < 700  # titles, and no empty legend
    truth, prediction = both[-640:, :640], both[-640:, -640:]
    middle, corner = np.s_[150:490, 150:490], np.s_[40:220, 10:130]
    assert (truth[middle] != 90).any() and (truth[corner] == 90).all()
    assert (prediction[middle] == 90).all() and (prediction[corner] != 90).any()
    # no object in the truth, and none above the threshold
    assert (neither[-640:, :640] == 90).all() and (neither[-640:, -640:] == 90).all()


def test_images_of_one_name_in_two_folders_are_drawn_apart(tmp_path, runner):
    hook = DrawDetections(tmp_path / "out", count=2)
    hook.after_test_iter(runner, 0, outputs=[output(runner, i, 0.9) for i in (2, 3)])
    assert (tmp_path / "out/one/1.png").is_file() and (tmp_path / "out/two/1.png").is_file()


def test_label_maps_are_drawn_beside_the_truth(tmp_path):
    write_image(tmp_path / "sub" / "a.png", np.full((32, 48, 3), 90, np.uint8))
    data_set = SimpleNamespace(
        metainfo=dict(classes=("sky", "road")), data_prefix=dict(img_path=str(tmp_path))
    )
    sample = DetDataSample(metainfo=dict(img_path=str(tmp_path / "sub" / "a.png"), img_id=1))
    truth = torch.full((1, 32, 48), -1)
    sample.gt_sem_seg = PixelData(sem_seg=truth)
    sample.pred_sem_seg = PixelData(sem_seg=torch.ones(1, 32, 48, dtype=torch.int64))
    hook = DrawLabelMaps(tmp_path / "out", count=1)
    test_run = SimpleNamespace(test_dataloader=SimpleNamespace(dataset=data_set))
    hook.after_test_iter(test_run, 0, outputs=[sample, sample])
    drawn = read_image(tmp_path / "out" / "sub" / "a.png")
    left, right = drawn[200, 300], drawn[200, drawn.shape[1] // 2 + 300]
    assert (left == 90).all()  # what is not labelled keeps its colours
    assert right[2] > right[0] + 20 and tuple(class_colour(1)) == (29, 120, 216)
