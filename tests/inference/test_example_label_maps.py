"""The hook that keeps the images of the lowest and the highest IoU."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import PixelData

from ovdistill.core.images import write_image
from ovdistill.evaluation.report_page.segmentation_gallery import read_examples
from ovdistill.inference.example_label_maps import KeepExamples, image_iou


def test_the_iou_of_an_image_counts_the_classes_that_occur_in_it():
    truth = np.array([[0, 0, 1, -1]])
    assert image_iou(truth, np.array([[0, 0, 1, 2]]), 3) == pytest.approx(1)
    assert image_iou(truth, np.array([[0, 0, 2, 2]]), 3) == pytest.approx(1 / 3)  # 1, 0, 0
    assert math.isnan(image_iou(np.array([[-1]]), np.array([[0]]), 3))


@pytest.fixture
def outputs(tmp_path) -> list[DetDataSample]:
    """Images of 8 x 8 pixels of class 0; of the k-th one k rows are right."""
    samples = []
    for right in (5, 1, 8, 3):
        path = tmp_path / f"{right}.png"
        write_image(path, np.full((8, 8, 3), 90, np.uint8))
        predicted = torch.ones(1, 8, 8, dtype=torch.int64)
        predicted[:, :right] = 0
        sample = DetDataSample(metainfo=dict(img_path=str(path)))
        sample.gt_sem_seg = PixelData(sem_seg=torch.zeros(1, 8, 8, dtype=torch.int64))
        sample.pred_sem_seg = PixelData(sem_seg=predicted)
        samples.append(sample)
    return samples


def test_the_worst_and_the_best_images_are_kept(tmp_path, outputs):
    data_set = SimpleNamespace(metainfo=dict(classes=("sky", "road")))
    runner = SimpleNamespace(test_dataloader=SimpleNamespace(dataset=data_set))
    hook = KeepExamples(tmp_path / "examples", count=2)
    hook.after_test_iter(runner, 0, outputs=outputs[:3])
    hook.after_test_iter(runner, 1, outputs=outputs[3:])
    hook.after_test(runner)
    found = read_examples(tmp_path, 5)
    captions = {kind: [one.caption for one in examples] for kind, examples in found.items()}
    assert captions == {
        "worst": ["1.png: mean IoU 6.2 %", "3.png: mean IoU 18.8 %"],
        "best": ["8.png: mean IoU 100.0 %", "5.png: mean IoU 31.2 %"],
    }
    assert all(one.webp[8:12] == b"WEBP" for examples in found.values() for one in examples)
    assert len(read_examples(tmp_path, 1)["best"]) == 1
    assert read_examples(tmp_path, 0) == read_examples(tmp_path / "none", 3) == {}
