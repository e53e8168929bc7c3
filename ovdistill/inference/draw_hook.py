"""mmengine hooks that draw the results of a test run beside the truth."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from mmdet.datasets import BaseDetDataset
from mmdet.structures import DetDataSample
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ovdistill.core.images import read_image, write_image
from ovdistill.core.result_names import ResultNames
from ovdistill.inference.limits import Limits
from ovdistill.inference.selection import select
from ovdistill.inference.truth import read_truth
from ovdistill.visualization.areas import draw_label_map
from ovdistill.visualization.drawing import draw_detections
from ovdistill.visualization.panels import side_by_side


class DrawResults(Hook, ABC):
    """Draws the first images of a test run as PNG files: truth on the left, result beside it.

    Args:
        directory: the folder for the PNG files, which are named after the images and their
            sub-folders, see ``ResultNames``.
        count: the number of images.
    """

    images: ClassVar[str]  # the folder of the images in a data set's ``data_prefix``

    def __init__(self, directory: Path, count: int) -> None:
        self.directory = directory
        self.names = ResultNames()
        self.left = count

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
        images = getattr(data_set, "data_prefix", {}).get(self.images, "")
        for sample in outputs[: self.left]:
            path = self.directory / f"{self.names.name(sample.img_path, images)}.png"
            write_image(path, self.draw(sample, data_set))
        self.left = max(0, self.left - len(outputs))

    @abstractmethod
    def draw(self, sample: DetDataSample, data_set: BaseDetDataset) -> np.ndarray:
        """Return the drawing of an image, (H, W, 3) uint8 RGB."""


class DrawLabelMaps(DrawResults):
    """Draws label maps; see ``DrawResults``. Pixels that are not labelled keep their colours."""

    images = "img_path"

    def draw(self, sample: DetDataSample, data_set: BaseDetDataset) -> np.ndarray:
        """Return the drawing of an image, (H, W, 3) uint8 RGB."""
        image = read_image(sample.img_path)
        names = data_set.metainfo["classes"]
        maps = {"truth": sample.gt_sem_seg, "prediction": sample.pred_sem_seg}
        return side_by_side(
            {
                title: draw_label_map(image, label_map.sem_seg[0].cpu().numpy(), names)
                for title, label_map in maps.items()
            }
        )


class DrawDetections(DrawResults):
    """Draws detections; see ``DrawResults``.

    Args:
        directory: see ``DrawResults``.
        count: see ``DrawResults``.
        score_threshold: the lowest score that is drawn.
    """

    images = "img"

    def __init__(self, directory: Path, count: int, score_threshold: float = 0.3) -> None:
        super().__init__(directory, count)
        self.score_threshold = score_threshold
        self._places: dict[Any, int] = {}  # index in the data set by image id

    def draw(self, sample: DetDataSample, data_set: BaseDetDataset) -> np.ndarray:
        """Return the drawing of an image, (H, W, 3) uint8 RGB."""
        image = read_image(sample.img_path)
        classes = data_set.metainfo["classes"]
        truth = read_truth(self._record(data_set, sample.img_id), classes)
        limits = Limits(self.score_threshold, same_object=1)  # as they are measured
        found = select(sample.pred_instances, tuple(classes), limits)
        return side_by_side(
            {
                "truth": draw_detections(image, truth, (), show_scores=False),
                "prediction": draw_detections(image, found, ()),
            }
        )

    def _record(self, data_set: BaseDetDataset, img_id: Any) -> dict[str, Any]:
        """Return what a data set knows of an image."""
        if not self._places:
            records = (data_set.get_data_info(i) for i in range(len(data_set)))
            self._places = {record["img_id"]: i for i, record in enumerate(records)}
        return data_set.get_data_info(self._places[img_id])
