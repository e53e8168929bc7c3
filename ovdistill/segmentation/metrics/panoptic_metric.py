"""PanopticMetric: panoptic quality of seen and unseen classes, as a metric of mmengine."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from mmdet.registry import METRICS
from mmengine.evaluator import BaseMetric

from ovdistill.segmentation.metrics.panoptic import (
    PanopticScores,
    SegmentCounts,
    Segments,
    count_segments,
)
from ovdistill.segmentation.metrics.semantic_metric import label_map_of, meta_of
from ovdistill.segmentation.metrics.tables import class_table, panoptic_classes

LOGGER = logging.getLogger(__name__)


@METRICS.register_module()
class PanopticMetric(BaseMetric):
    """Panoptic quality over all, seen (base) and unseen (novel) classes.

    Keys, in percent, under ``panoptic/``: see ``PanopticScores.metrics``. Samples have
    ``gt_panoptic_seg`` and ``pred_panoptic_seg``, each with ``sem_seg`` (1, H, W), rows of classes
    or ``IGNORE``, and ``segments`` (1, H, W), segment numbers from 0; see ``data.label_map``. After
    an evaluation ``per_category`` has a record of each class, and ``scores`` the sums.

    Args:
        collect_device: 'cpu' or 'gpu', see BaseMetric.
        prefix: put before every key.
    """

    default_prefix = "panoptic"

    def __init__(self, collect_device: str = "cpu", prefix: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.scores: PanopticScores | None = None
        self.per_category: list[dict[str, Any]] = []

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Match the segments of a batch, and keep the counts.

        Args:
            data_batch: not used.
            data_samples: the segmentor's output.

        Raises:
            UserError: a sample without truth or prediction, or of different sizes.
        """
        for sample in data_samples:
            truth, predicted = (
                Segments.of(
                    label_map_of(sample, key).numpy(),
                    label_map_of(sample, key, "segments").numpy(),
                )
                for key in ("gt_panoptic_seg", "pred_panoptic_seg")
            )
            self.results.append(count_segments(truth, predicted))

    def compute_metrics(self, results: list[SegmentCounts]) -> dict[str, float]:
        """Sum the counts of all images; the keys are described at the class."""
        self.scores = PanopticScores.of(results, meta_of(self, "is_base"))
        self.per_category = panoptic_classes(self.scores, meta_of(self, "classes"))
        LOGGER.info("%s", class_table("classes", self.per_category).markdown())
        return self.scores.metrics()
