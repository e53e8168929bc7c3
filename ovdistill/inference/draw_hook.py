"""An mmengine hook that draws the detections of a test run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmdet.structures import DetDataSample
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ovdistill.core.images import read_image, write_image
from ovdistill.core.result_names import ResultNames
from ovdistill.inference.detections import select
from ovdistill.visualization.drawing import draw_detections


class DrawDetections(Hook):
    """Draws the detections on the first images of a test run, as PNG files.

    Args:
        directory: the folder for the PNG files, which are named after the images and their
            sub-folders, see ``ResultNames``.
        count: the number of images.
        score_threshold: the lowest score that is drawn.
    """

    def __init__(self, directory: Path, count: int, score_threshold: float = 0.3) -> None:
        self.directory = directory
        self.names = ResultNames()
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
        """Draw the images of a batch, until ``count`` images are drawn."""
        data_set = runner.test_dataloader.dataset
        images = getattr(data_set, "data_prefix", {}).get("img", "")
        for sample in outputs[: self.left]:
            classes = data_set.metainfo["classes"]
            found = select(sample.pred_instances, classes, self.score_threshold, max_dets=100)
            drawn = draw_detections(read_image(sample.img_path), found, ())
            write_image(self.directory / f"{self.names.name(sample.img_path, images)}.png", drawn)
        self.left = max(0, self.left - len(outputs))
