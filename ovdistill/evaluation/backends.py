"""Evaluators: detections in, one precision and recall array over all classes out.

'hotcoco' (Rust; bit-exact against both references and tens of times faster) is the default,
'reference' is pycocotools for the COCO protocol and lvis-api for the LVIS protocol.

Shape letters: T IoU thresholds (0.5:0.05:0.95), Q recall levels (0:0.01:1), K classes in the order
of their category ids, A area ranges (all, small, medium, large).
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Protocol

import hotcoco
import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from ovdistill.errors import UserError
from ovdistill.evaluation.records import Records


@dataclass(frozen=True)
class Curves:
    """What an evaluation gives, at the largest number of detections; -1 marks no ground truth.

    Attributes:
        precision: (T, Q, K, A) float64.
        recall: (T, K, A) float64, the largest recall reached.
    """

    precision: np.ndarray
    recall: np.ndarray


class Evaluator(Protocol):
    """One annotation file, ready to evaluate detections against."""

    version: str  # name and version of the library, for the provenance

    def categories(self) -> list[dict[str, Any]]:
        """The file's categories."""

    def image_ids(self) -> list[int]:
        """The file's image ids."""

    def curves(
        self, records: Records, metric: str, image_ids: Sequence[int], cat_ids: Sequence[int]
    ) -> Curves:
        """Evaluates ``metric`` ('bbox' or 'segm') on these images and sorted category ids."""


class HotcocoEvaluator:
    """hotcoco, for both protocols."""

    def __init__(self, ann_file: str, protocol: str, max_dets: int) -> None:
        self.version = f"hotcoco {version('hotcoco')}"
        self.protocol, self.max_dets = protocol, max_dets
        self.truth = hotcoco.COCO(ann_file)

    def categories(self) -> list[dict[str, Any]]:
        return self.truth.load_cats(self.truth.get_cat_ids())

    def image_ids(self) -> list[int]:
        return self.truth.get_img_ids()

    def curves(
        self, records: Records, metric: str, image_ids: Sequence[int], cat_ids: Sequence[int]
    ) -> Curves:
        rles = records.rles if metric == "segm" else None
        found = self.truth.load_res(records.table(), segmentation=rles)
        if rles:  # the area of a mask, not of its box, as the references have it
            areas = np.asarray(hotcoco.mask.area(rles), dtype=np.float64)
            found.update_anns(ids=np.arange(1, len(rles) + 1), area=areas)
        if self.protocol == "lvis":
            found = found.cap_detections_per_image(self.max_dets)
        run = hotcoco.COCOeval(self.truth, found, metric, lvis_style=self.protocol == "lvis")
        run.params.img_ids = sorted(image_ids)
        run.params.cat_ids = list(cat_ids)
        # LVIS caps each picture over all classes (above); COCO each picture and class.
        run.params.max_dets = [self.max_dets]
        run.evaluate()
        run.accumulate()
        return Curves(run.eval["precision"][..., -1], run.eval["recall"][..., -1])


class CocoEvaluator:
    """pycocotools."""

    def __init__(self, ann_file: str, max_dets: int) -> None:
        self.version = f"pycocotools {version('pycocotools')}"
        self.max_dets = max_dets
        with contextlib.redirect_stdout(io.StringIO()):
            self.truth = COCO(ann_file)
        for annotation in self.truth.anns.values():
            annotation.setdefault("iscrowd", 0)  # LVIS files have none

    def categories(self) -> list[dict[str, Any]]:
        return self.truth.loadCats(self.truth.getCatIds())

    def image_ids(self) -> list[int]:
        return self.truth.getImgIds()

    def curves(
        self, records: Records, metric: str, image_ids: Sequence[int], cat_ids: Sequence[int]
    ) -> Curves:
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
    """lvis-api. Its last release, 0.5.3, needs a numpy older than 1.24."""

    def __init__(self, ann_file: str, max_dets: int) -> None:
        try:
            from lvis import LVIS
        except ImportError as error:
            raise UserError(
                "backend='reference' of the LVIS protocol needs lvis-api, which is not installed: "
                "use backend='hotcoco' (same numbers), or `pip install lvis`."
            ) from error
        self.version = f"lvis {version('lvis')}"
        self.max_dets = max_dets
        self.truth = LVIS(ann_file)

    def categories(self) -> list[dict[str, Any]]:
        return self.truth.load_cats(None)

    def image_ids(self) -> list[int]:
        return self.truth.get_img_ids()

    def curves(
        self, records: Records, metric: str, image_ids: Sequence[int], cat_ids: Sequence[int]
    ) -> Curves:
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


def build_evaluator(backend: str, ann_file: str, protocol: str, max_dets: int) -> Evaluator:
    """The evaluator of ``backend`` ('hotcoco' or 'reference') and ``protocol`` ('coco', 'lvis')."""
    if backend == "hotcoco":
        return HotcocoEvaluator(ann_file, protocol, max_dets)
    return (LvisEvaluator if protocol == "lvis" else CocoEvaluator)(ann_file, max_dets)
