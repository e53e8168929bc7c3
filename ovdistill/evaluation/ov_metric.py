"""OVMetric: box and mask AP of base and novel classes, in the COCO or LVIS protocol."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from mmdet.registry import METRICS
from mmengine.evaluator import BaseMetric

from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations import Annotations, read_annotations
from ovdistill.evaluation.evaluate import (
    METRIC_NAMES,
    EvaluatedClass,
    Protocol,
    check_annotation_file,
    check_choice,
    evaluate,
)
from ovdistill.evaluation.records import Records, concatenate, image_records
from ovdistill.evaluation.submission import write_submissions

LOGGER = logging.getLogger(__name__)


@METRICS.register_module()
class OVMetric(BaseMetric):
    """AP over all classes, base classes and novel classes of one generalized evaluation.

    Keys, in percent, with -1.0 where no class of a group has ground truth: ``bbox/AP``, ``AP50``,
    ``AP75``, ``APs``, ``APm``, ``APl``, ``AR<max_dets>``, ``AP_base``, ``AP_novel``, ``AP50_base``,
    ``AP50_novel``, ``HM50`` (harmonic mean of the two before it), for the LVIS protocol also
    ``APr``, ``APc``, ``APf``; the same under ``segm/``.

    The classes are those of ``dataset_meta``: ``cat_ids``, ``classes`` and ``is_base``, three
    sequences in the same order. The images are those that the detector was run on. After an
    evaluation ``per_category`` holds a dict for each class (id, name, group, and AP and AP50 for
    each metric), and ``image_ids`` the ids of the images as the file has them, or None if they are
    all images of the file.

    Args:
        ann_file: COCO or LVIS annotation file.
        metrics: 'bbox', 'segm' or both.
        protocol: 'lvis' (federated; ``max_dets`` detections of an image over all classes) or
            'coco' (``max_dets`` detections of an image and class).
        max_dets: by default 300 for 'lvis' and 100 for 'coco'.
        backend: 'hotcoco' or 'reference' (pycocotools, lvis-api).
        outfile_prefix: if given, the detections are written to ``<prefix>.<metric>.json``, see
            ``submission``; `ovdistill test --dump` sets it.
        collect_device: 'cpu' or 'gpu', see BaseMetric.
        prefix: if given, it is put before every key.

    Raises:
        UserError: no such annotation file; an unknown option; classes or images that the file
            does not have.
    """

    def __init__(
        self,
        ann_file: str,
        metrics: Sequence[str] = ("bbox", "segm"),
        protocol: str = "lvis",
        max_dets: int | None = None,
        backend: str = "hotcoco",
        outfile_prefix: str | None = None,
        collect_device: str = "cpu",
        prefix: str | None = None,
    ) -> None:
        # The keys name the metric themselves; BaseMetric warns about a missing prefix.
        super().__init__(collect_device=collect_device, prefix=prefix or "ov")
        self.prefix = prefix
        metrics = (metrics,) if isinstance(metrics, str) else tuple(metrics)
        check_choice("metrics", metrics, METRIC_NAMES)
        self.protocol = Protocol(protocol, max_dets, backend)
        self.ann_file = check_annotation_file(ann_file)
        self.metrics = metrics
        self.outfile_prefix = outfile_prefix
        self.evaluator_version = ""
        self.per_category: list[dict[str, Any]] = []
        self.image_ids: list[Any] | None = None

    @property
    def with_masks(self) -> bool:
        """Return True if masks are evaluated."""
        return "segm" in self.metrics

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the detections of a batch, with compressed masks.

        Args:
            data_batch: not used.
            data_samples: the detector's output, see ``records.image_records``.
        """
        cat_ids = self._meta("cat_ids")
        for data_sample in data_samples:
            records = image_records(data_sample, cat_ids, with_masks=self.with_masks)
            self.results.append((int(data_sample["img_id"]), records))

    def compute_metrics(self, results: list[tuple[int, Records]]) -> dict[str, float]:
        """Evaluate the detections of all images; the keys are described at the class."""
        truth = read_annotations(self.ann_file, allow_outside_images=True)  # none is opened
        image_ids = self._image_ids(truth, [image_id for image_id, _ in results])
        known = truth.original_image_ids
        everything = len(image_ids) == len(known)
        self.image_ids = None if everything else [known[number] for number in image_ids]
        records = concatenate([part for _, part in results], with_masks=self.with_masks)
        found = dict.fromkeys(self.metrics, records)
        if self.outfile_prefix:
            write_submissions(self.outfile_prefix, found, truth, self.protocol)
        names = zip(*map(self._meta, ("cat_ids", "classes", "is_base")), strict=True)
        classes = [EvaluatedClass(*name) for name in names]
        evaluation = evaluate(truth, found, classes, image_ids, self.protocol)
        self.per_category = evaluation.per_category
        self.evaluator_version = evaluation.evaluator
        return evaluation.metrics

    def _image_ids(self, truth: Annotations, processed: list[int]) -> list[int]:
        """Return the processed image ids, sorted, and check that the annotation file has them."""
        known = truth.original_image_ids.keys()
        if unknown := set(processed) - known:
            raise UserError(
                f"image {min(unknown)} is not in {self.ann_file}: test_evaluator.ann_file must be "
                "the annotation file of test_dataloader.dataset."
            )
        if len(known) > len(set(processed)):
            LOGGER.info(
                "evaluated %d of the %d images of %s",
                *(len(set(processed)), len(known), self.ann_file),
            )
        return sorted(set(processed))

    def _meta(self, key: str) -> Sequence[Any]:
        if not self.dataset_meta or key not in self.dataset_meta:
            raise UserError(
                f"the data set's metainfo has no '{key}': OVMetric needs classes, cat_ids and "
                "is_base (a data set of ovdistill.datasets has them)."
            )
        return self.dataset_meta[key]
