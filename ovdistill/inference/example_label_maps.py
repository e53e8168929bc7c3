"""Keeps examples of a segmentor's test for its report: the images of the lowest and highest IoU."""

from __future__ import annotations

import io
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from mmdet.structures import DetDataSample
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner
from PIL import Image

from ovdistill.core.files import write_bytes, write_json
from ovdistill.core.images import read_image
from ovdistill.evaluation.report_page.segmentation_gallery import FILE, KINDS
from ovdistill.inference.large_images import reduce_image
from ovdistill.inference.segmentation_result import resize_labels
from ovdistill.segmentation.metrics.semantic import SemanticScores, count_pairs
from ovdistill.visualization.areas import draw_label_map
from ovdistill.visualization.panels import side_by_side

SIDE = 288  # pixels of a drawing
QUALITY = 82  # of the WebP files


@dataclass(frozen=True, order=True)
class Example:
    """An image of a test.

    Attributes:
        rank: it is sorted by, the first is the best example of its kind.
        iou: mean over the classes that occur in it, 0 to 1.
        source: its file.
        maps: truth and prediction, (H, W) each.
    """

    rank: float
    iou: float = field(compare=False)
    source: str = field(compare=False)
    maps: dict[str, np.ndarray] = field(compare=False)


class KeepExamples(Hook):
    """Draws the images of the lowest and the highest mean IoU, of those that rank 0 tests.

    Args:
        directory: for WebP files and ``examples.json``, which names them.
        count: how many of each kind.
    """

    def __init__(self, directory: Path, count: int = 6) -> None:
        self.directory = directory
        self.count = count
        self.kept: dict[str, list[Example]] = {kind: [] for kind in KINDS}

    @master_only
    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Sequence[DetDataSample] = (),
    ) -> None:
        """Look at the images of a batch."""
        classes = len(runner.test_dataloader.dataset.metainfo["classes"])
        for sample in outputs:
            maps = {
                "truth": sample.gt_sem_seg.sem_seg[0].cpu().numpy(),
                "prediction": sample.pred_sem_seg.sem_seg[0].cpu().numpy(),
            }
            iou = image_iou(maps["truth"], maps["prediction"], classes)
            if np.isnan(iou):
                continue  # nothing is labelled
            for kind, rank in (("worst", iou), ("best", -iou)):
                insort(self.kept[kind], Example(rank, iou, sample.img_path, maps))
                del self.kept[kind][self.count :]

    @master_only
    def after_test(self, runner: Runner) -> None:
        """Write the files."""
        names = runner.test_dataloader.dataset.metainfo["classes"]
        listed: dict[str, list[dict[str, str]]] = {}
        for kind, examples in self.kept.items():
            listed[kind] = []
            for number, example in enumerate(examples):
                file = f"{kind}_{number}.webp"
                write_bytes(self.directory / file, draw_example(example, names))
                caption = f"{Path(example.source).name}: mean IoU {100 * example.iou:.1f} %"
                listed[kind].append(dict(caption=caption, source=example.source, file=file))
        write_json(self.directory / FILE, listed)


def image_iou(truth: np.ndarray, predicted: np.ndarray, classes: int) -> float:
    """Return the mean IoU over the classes that occur in an image; nan if nothing is labelled.

    Args:
        truth: (H, W) rows of classes, or ``IGNORE``.
        predicted: (H, W), likewise.
        classes: how many there are.
    """
    scores = SemanticScores.of([count_pairs(truth, predicted)], [True] * classes)
    return scores.metrics()["mIoU"] / 100 if scores.truth.any() else float("nan")


def draw_example(example: Example, names: Sequence[str]) -> bytes:
    """Return truth beside prediction as a WebP file.

    Raises:
        UserError: the image cannot be read.
    """
    small = reduce_image(read_image(example.source), SIDE * SIDE)
    panels = {
        title: draw_label_map(small, resize_labels(labels, small.shape[:2]), names, min_side=SIDE)
        for title, labels in example.maps.items()
    }
    file = io.BytesIO()
    Image.fromarray(side_by_side(panels)).save(file, "webp", quality=QUALITY)
    return file.getvalue()
