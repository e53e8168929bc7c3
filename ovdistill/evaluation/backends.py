"""Evaluators: compute precision and recall of detections, for all classes at once.

The backend 'hotcoco' (Rust; bit-exact against both references and tens of times faster) is the
default. 'reference' is pycocotools for the COCO protocol and lvis-api for the LVIS protocol.

Shape letters: T IoU thresholds (0.5:0.05:0.95), Q recall levels (0:0.01:1), K classes in the order
of their category ids, A area ranges (all, small, medium, large).
"""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Protocol

import hotcoco
import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations import Annotations
from ovdistill.evaluation.records import Records, best_of_images

# detections that count: of each image and class ('coco'), or of each image ('lvis')
MAX_DETS = {"coco": 100, "lvis": 300}


@dataclass(frozen=True)
class Curves:
    """Precision and recall at the largest number of detections; -1 where there is no ground truth.

    Attributes:
        precision: (T, Q, K, A) float64.
        recall: (T, K, A) float64, the largest recall that the detections reach.
    """

    precision: np.ndarray
    recall: np.ndarray


class Evaluator(Protocol):
    """Ground truth that detections are evaluated against.

    Attributes:
        version: name and version of the library, for the provenance of results.
    """

    version: str

    def curves(
        self, records: Records, metric: str, image_ids: Sequence[int], cat_ids: Sequence[int]
    ) -> Curves:
        """Compute precision and recall of detections.

        Args:
            records: the detections.
            metric: 'bbox' or 'segm'.
            image_ids: the images that count, with and without detections.
            cat_ids: K category ids, sorted.
        """


class HotcocoEvaluator:
    """Evaluates with hotcoco, in both protocols."""

    def __init__(self, truth: dict[str, Any], protocol: str, max_dets: int) -> None:
        self.version = f"hotcoco {version('hotcoco')}"
        self.protocol, self.max_dets = protocol, max_dets
        self.truth = hotcoco.COCO(truth)

    def curves(
        self, records: Records, metric: str, image_ids: Sequence[int], cat_ids: Sequence[int]
    ) -> Curves:
        """Compute precision and recall, see ``Evaluator``."""
        if self.protocol == "lvis":
            records = without_empty(records, metric, self.max_dets)
        rles: list[Any] | None = records.rles if metric == "segm" else None
        found = self.truth.load_res(records.table(), segmentation=rles)
        if rles:  # area ranges go by the area of the mask, as in the references
            areas = _areas(records, metric)
            found.update_anns(ids=np.arange(1, len(rles) + 1), area=areas)
        if self.protocol == "lvis":
            found = found.cap_detections_per_image(self.max_dets)
        run = hotcoco.COCOeval(self.truth, found, metric, lvis_style=self.protocol == "lvis")
        run.params.img_ids = sorted(image_ids)
        run.params.cat_ids = list(cat_ids)
        # LVIS caps each image over all classes (above); COCO each image and class.
        run.params.max_dets = [self.max_dets]
        run.evaluate()
        run.accumulate()
        assert run.eval is not None  # accumulate has filled it
        return Curves(run.eval["precision"][..., -1], run.eval["recall"][..., -1])


class CocoEvaluator:
    """Evaluates with pycocotools, in the COCO protocol."""

    def __init__(self, truth: dict[str, Any], max_dets: int) -> None:
        self.version = f"pycocotools {version('pycocotools')}"
        self.max_dets = max_dets
        self.truth = COCO()
        self.truth.dataset = truth
        with contextlib.redirect_stdout(io.StringIO()):
            self.truth.createIndex()

    def curves(
        self, records: Records, metric: str, image_ids: Sequence[int], cat_ids: Sequence[int]
    ) -> Curves:
        """Compute precision and recall, see ``Evaluator``."""
        with contextlib.redirect_stdout(io.StringIO()):
            run = COCOeval(self.truth, self._results(records, metric), metric)
            run.params.imgIds, run.params.catIds = sorted(image_ids), list(cat_ids)
            run.params.maxDets = [self.max_dets]
            run.evaluate()
            run.accumulate()
        return Curves(run.eval["precision"][..., -1], run.eval["recall"][..., -1])

    def _results(self, records: Records, metric: str) -> COCO:
        if len(records):
            return self.truth.loadRes(records.dicts(metric))
        empty = COCO()  # loadRes indexes the first detection
        empty.dataset = {**self.truth.dataset, "annotations": []}
        empty.createIndex()
        return empty


class LvisEvaluator:
    """Evaluates with lvis-api, in the LVIS protocol.

    The last release of lvis-api, 0.5.3, needs a numpy older than 1.24.

    Raises:
        UserError: lvis-api is not installed, or does not run on this numpy.
    """

    def __init__(self, truth: dict[str, Any], max_dets: int) -> None:
        try:
            from lvis import LVIS
        except ImportError as error:
            raise UserError(
                "backend='reference' of the LVIS protocol needs lvis-api, which is not installed: "
                "use backend='hotcoco' (same numbers), or `pip install lvis`."
            ) from error
        self.version = f"lvis {version('lvis')}"
        self.max_dets = max_dets
        self.truth = LVIS.__new__(LVIS)  # the constructor reads a file
        self.truth.logger = logging.getLogger("lvis")
        self.truth.dataset = truth
        self.truth._create_index()

    def curves(
        self, records: Records, metric: str, image_ids: Sequence[int], cat_ids: Sequence[int]
    ) -> Curves:
        """Compute precision and recall, see ``Evaluator``."""
        from lvis import LVISEval

        run = LVISEval(self.truth, self._results(records, metric), metric)
        run.params.img_ids, run.params.cat_ids = sorted(image_ids), list(cat_ids)
        run.evaluate()
        try:
            run.accumulate()
        except AttributeError as error:
            raise UserError(
                f"{self.version} does not run on numpy {np.__version__} ({error}): "
                "use backend='hotcoco' (same numbers)."
            ) from error
        return Curves(run.eval["precision"], run.eval["recall"])

    def _results(self, records: Records, metric: str) -> Any:
        from lvis import LVISResults

        if len(records):
            return LVISResults(self.truth, records.dicts(metric), max_dets=self.max_dets)
        empty = LVISResults.__new__(LVISResults)  # the constructor indexes the first detection
        empty.logger = self.truth.logger
        empty.dataset = {**self.truth.dataset, "annotations": []}
        empty._create_index()
        return empty


def without_empty(records: Records, metric: str, max_dets: int) -> Records:
    """Return the detections without those of no area, which lvis-api does not see.

    They take their place among the best of an image before they are left out. pycocotools counts
    them, as false alarms.

    Args:
        records: the detections.
        metric: 'bbox' or 'segm'.
        max_dets: how many detections of an image count.
    """
    if _areas(records, metric).all():
        return records
    best = best_of_images(records, max_dets)
    return best.take(np.flatnonzero(_areas(best, metric)))


def _areas(records: Records, metric: str) -> np.ndarray:
    """Return the areas of boxes or masks, (n,) in pixels."""
    if metric == "bbox":
        return records.boxes[:, 2] * records.boxes[:, 3]
    assert records.rles is not None, "these detections have no masks"
    return np.asarray(hotcoco.mask.area(records.rles), dtype=np.float64)


def build_evaluator(
    backend: str,
    annotations: Annotations,
    protocol: str,
    max_dets: int,
    *,
    masks_only: bool = False,
) -> Evaluator:
    """Build an evaluator.

    Args:
        backend: 'hotcoco' or 'reference'.
        annotations: the ground truth.
        protocol: 'coco' or 'lvis'.
        max_dets: how many detections count: of each image and class ('coco'), or of each image
            ('lvis').
        masks_only: for the metric 'segm' where some annotations have no mask, see
            ``evaluator_copy``.

    Raises:
        UserError: lvis-api is needed and not installed.
    """
    truth = annotations.to_coco(masks_only=masks_only)
    if backend == "hotcoco":
        return HotcocoEvaluator(truth, protocol, max_dets)
    return (LvisEvaluator if protocol == "lvis" else CocoEvaluator)(truth, max_dets)
