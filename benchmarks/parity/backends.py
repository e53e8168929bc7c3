"""A further evaluator, independent of those of the package: it checks them, and nothing else.

It has the interface of ``ovdistill.evaluation.backends.Evaluator``.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from ultrafast_pycocotools import COCO, COCOeval

from ovdistill.evaluation.backends import Curves, without_empty
from ovdistill.evaluation.records import Records


class UltrafastEvaluator:
    """Evaluates with ultrafast-pycocotools, in both protocols."""

    def __init__(self, truth: dict[str, Any], protocol: str, max_dets: int) -> None:
        self.version = f"ultrafast-pycocotools {version('ultrafast-pycocotools')}"
        self.protocol, self.max_dets = protocol, max_dets
        self.truth = coco_of(truth)

    def curves(
        self, records: Records, metric: str, image_ids: Sequence[int], cat_ids: Sequence[int]
    ) -> Curves:
        """Compute precision and recall, see ``Evaluator``."""
        is_lvis = self.protocol == "lvis"
        if is_lvis:
            records = without_empty(records, metric, self.max_dets)
        if len(records):
            found = self.truth.loadRes(records.dicts(metric))
        else:  # as pycocotools, loadRes looks at the first detection
            found = coco_of({**self.truth.dataset, "annotations": []})
        run = COCOeval(self.truth, found, metric, lvis_style=is_lvis)
        run.params.imgIds, run.params.catIds = sorted(image_ids), list(cat_ids)
        run.params.maxDets = [self.max_dets]
        run.evaluate()
        run.accumulate()
        return Curves(run.eval["precision"][..., -1], run.eval["recall"][..., -1])


def coco_of(dataset: dict[str, Any]) -> COCO:
    """Return ground truth or detections as the library's own type."""
    coco = COCO()
    coco.dataset = dataset
    coco.createIndex()
    return coco
