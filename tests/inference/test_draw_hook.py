"""The hook that draws the detections of a test run."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

from ovdistill.core.images import read_image, write_image
from ovdistill.inference.draw_hook import DrawDetections


def output(path, score: float) -> DetDataSample:
    sample = DetDataSample(metainfo=dict(img_path=str(path)))
    sample.pred_instances = InstanceData(
        bboxes=torch.tensor([[8.0, 8, 40, 40]]),
        scores=torch.tensor([score]),
        labels=torch.tensor([0]),
    )
    return sample


def test_the_first_images_are_drawn(tmp_path):
    paths = [tmp_path / f"{name}.png" for name in "abc"]
    for path in paths:
        write_image(path, np.full((64, 64, 3), 90, np.uint8))
    data_set = SimpleNamespace(metainfo=dict(classes=("star",)), data_prefix=dict(img=""))
    runner = SimpleNamespace(test_dataloader=SimpleNamespace(dataset=data_set))
    hook = DrawDetections(tmp_path / "out", count=2, score_threshold=0.3)
    hook.after_test_iter(runner, 0, outputs=[output(paths[0], 0.9)])
    hook.after_test_iter(runner, 1, outputs=[output(paths[1], 0.1), output(paths[2], 0.9)])
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"a.png", "b.png"}
    found, nothing = (read_image(tmp_path / "out" / name) for name in ("a.png", "b.png"))
    assert (found[:640] != 90).any() and (nothing[:640] == 90).all()


def test_images_of_one_name_in_two_folders_are_drawn_apart(tmp_path):
    paths = [tmp_path / "images" / folder / "1.png" for folder in "ab"]
    for path in paths:
        write_image(path, np.full((64, 64, 3), 90, np.uint8))
    data_set = SimpleNamespace(
        metainfo=dict(classes=("star",)), data_prefix=dict(img=str(tmp_path / "images/"))
    )
    runner = SimpleNamespace(test_dataloader=SimpleNamespace(dataset=data_set))
    hook = DrawDetections(tmp_path / "out", count=2)
    hook.after_test_iter(runner, 0, outputs=[output(path, 0.9) for path in paths])
    assert (tmp_path / "out/a/1.png").is_file() and (tmp_path / "out/b/1.png").is_file()
