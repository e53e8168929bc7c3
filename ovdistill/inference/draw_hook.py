"""Draws the first detections of a test run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmdet.structures import DetDataSample
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ovdistill.core.images import read_image, write_image
from ovdistill.inference.detections import select
from ovdistill.visualization.drawing import draw_detections


class DrawDetections(Hook):
    """Writes the first images of a test run with their detections.

    Args:
        directory: where the images go, named as the originals.
        count: how many.
        score_threshold: the lowest score drawn.
    """

    def __init__(self, directory: Path, count: int, score_threshold: float = 0.3) -> None:
        self.directory = directory
        self.left = count
        self.score_threshold = score_threshold

    @master_only
    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Sequence[DetDataSample] = (),
    ) -> None:
        """Draws the images of a batch until ``count`` are done."""
        names = runner.test_dataloader.dataset.metainfo["classes"]
        for sample in outputs[: self.left]:
            found = select(sample.pred_instances, names, self.score_threshold, max_dets=100)
            drawn = draw_detections(read_image(sample.img_path), found, ())
            write_image(self.directory / f"{Path(sample.img_path).stem}.png", drawn)
        self.left = max(0, self.left - len(outputs))
