"""SegmentationMetric: IoU of seen and unseen classes, as a metric of mmengine."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import torch
from mmdet.registry import METRICS
from mmengine.evaluator import BaseMetric
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.segmentation.metrics.label_files import LabelMapWriter
from ovdistill.segmentation.metrics.semantic import (
    PixelPairs,
    SemanticScores,
    count_pairs,
    sum_pairs,
)
from ovdistill.segmentation.metrics.tables import class_table, missing_line, semantic_classes

LOGGER = logging.getLogger(__name__)


@METRICS.register_module()
class SegmentationMetric(BaseMetric):
    """Figures of semantic segmentation over all, seen (base) and unseen (novel) classes.

    Keys, in percent, under ``semantic/``: see ``SemanticScores.metrics``. Samples have
    ``gt_sem_seg`` and ``pred_sem_seg``, each with ``sem_seg`` (1, H, W), rows of the classes of
    ``dataset_meta`` (``classes`` and ``is_base``) or ``IGNORE``. Of an image only counts of pairs
    of classes are kept, which are also all that processes exchange. After an evaluation
    ``per_category`` has a record of each class, ``scores`` the sums, and ``pairs`` says which rows
    of the truth met which of the predictions.

    Args:
        dump: a folder; if given, predicted label maps are written into it as PNG files, in the
            data set's own values (``label_values`` of ``dataset_meta``).
        collect_device: 'cpu' or 'gpu', see BaseMetric.
        prefix: put before every key.
    """

    default_prefix = "semantic"

    def __init__(
        self, dump: str | None = None, collect_device: str = "cpu", prefix: str | None = None
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.dump = dump
        self.scores: SemanticScores | None = None
        self.pairs: PixelPairs | None = None
        self.per_category: list[dict[str, Any]] = []
        self._writer: LabelMapWriter | None = None

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the counts of a batch, and write its label maps if that is asked for.

        Args:
            data_batch: not used.
            data_samples: the segmentor's output.

        Raises:
            UserError: a sample without truth or prediction, or of different sizes.
        """
        for sample in data_samples:
            truth, predicted = (label_map_of(sample, key) for key in ("gt_sem_seg", "pred_sem_seg"))
            self.results.append(count_pairs(truth.numpy(), predicted.numpy()))
            if self.dump:
                if self._writer is None:
                    self._writer = LabelMapWriter(self.dump, self._meta("label_values"))
                self._writer.write(sample["img_id"], predicted.numpy())

    def compute_metrics(self, results: list[PixelPairs]) -> dict[str, float]:
        """Sum the counts of all images; the keys are described at the class."""
        names = self._meta("classes")
        self.scores = SemanticScores.of(results, self._meta("is_base"))
        self.pairs = sum_pairs(results)
        self.per_category = semantic_classes(self.scores, names)
        if line := missing_line(self.scores):
            LOGGER.info("%s", line)
        LOGGER.info("%s", class_table("classes", self.per_category).markdown())
        return self.scores.metrics()

    def _meta(self, key: str) -> Sequence[Any]:
        return meta_of(self, key)


def meta_of(metric: BaseMetric, key: str) -> Sequence[Any]:
    """Return what a metric's data set says about itself.

    Raises:
        UserError: it does not say it.
    """
    if not metric.dataset_meta or key not in metric.dataset_meta:
        raise UserError(
            f"the data set's metainfo has no '{key}': {type(metric).__name__} needs a data set of "
            "ovdistill.segmentation.data, such as SegmentationDataset."
        )
    return metric.dataset_meta[key]


def label_map_of(sample: dict, key: str, field: str = "sem_seg") -> Tensor:
    """Return a (H, W) map of a sample, on the CPU.

    Args:
        sample: a data sample as a dict.
        key: "gt_sem_seg", "pred_sem_seg" or the same of panoptic segmentation.
        field: the map that is wanted.

    Raises:
        UserError: the sample has none.
    """
    data = sample.get(key)
    if data is None or field not in data:
        raise UserError(
            f"image {sample.get('img_id')} has no {key}.{field}: the truth comes from LoadLabelMap "
            "and PackSegmentationInputs in the test pipeline, the prediction from the segmentor."
        )
    found = torch.as_tensor(data[field]).cpu()
    return found[0] if found.ndim == 3 else found
