"""OVMetric: box and mask AP of base and novel classes, in the COCO or LVIS protocol."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmdet.registry import METRICS
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from ovdistill.core.errors import UserError
from ovdistill.core.files import write_json
from ovdistill.core.masks import rle_to_json
from ovdistill.datasets.annotations import Annotations, read_annotations
from ovdistill.evaluation.accumulate import class_averages, summarize
from ovdistill.evaluation.backends import Evaluator, build_evaluator
from ovdistill.evaluation.records import Records, concatenate, image_records

MAX_DETS = {"coco": 100, "lvis": 300}


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
        outfile_prefix: if given, the detections are written to ``<prefix>.<metric>.json``.
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
        _check("metrics", metrics, ("bbox", "segm"))
        _check("protocol", (protocol,), tuple(MAX_DETS))
        _check("backend", (backend,), ("hotcoco", "reference"))
        if not Path(ann_file).is_file():
            raise UserError(
                f"no annotation file at {ann_file}: set test_evaluator.ann_file, or make the data "
                "(`ovdistill make-ovshapes` for the embedded benchmark)."
            )
        self.ann_file = str(ann_file)
        self.metrics = metrics
        self.protocol = protocol
        self.max_dets = max_dets or MAX_DETS[protocol]
        self.backend = backend
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
        self._check_masks(truth)
        evaluators = self._evaluators(truth)
        image_ids = self._image_ids(truth, [image_id for image_id, _ in results])
        known = truth.original_image_ids
        everything = len(image_ids) == len(known)
        self.image_ids = None if everything else [known[number] for number in image_ids]
        records = concatenate([part for _, part in results], with_masks=self.with_masks)
        classes = self._classes(truth)
        groups = [row["frequency"] for row in classes] if self.protocol == "lvis" else None
        is_base = [row["group"] == "base" for row in classes]
        flat: dict[str, float] = {}
        for metric in self.metrics:
            if self.outfile_prefix:
                rows = _with_original_ids(records.dicts(metric), truth)
                write_json(f"{self.outfile_prefix}.{metric}.json", rows)
            cat_ids = [row["id"] for row in classes]
            curves = evaluators[metric].curves(records, metric, image_ids, cat_ids)
            for row, ap, ap50 in zip(classes, *class_averages(curves), strict=True):
                row[metric] = {"AP": ap, "AP50": ap50}
            figures = summarize(curves, is_base, groups, self.max_dets)
            flat |= {f"{metric}/{key}": value for key, value in figures.items()}
        self.per_category = classes
        return flat

    def _check_masks(self, truth: Annotations) -> None:
        """Raise UserError if masks are to be evaluated and the file has none."""
        if self.with_masks and truth.annotations and not truth.masks:
            raise UserError(
                f"{self.ann_file} has no masks that can be used: set test_evaluator.metrics=bbox."
            )

    def _evaluators(self, truth: Annotations) -> dict[str, Evaluator]:
        """Return the evaluator of each metric; one for both, unless some masks are missing."""
        options = (self.backend, truth, self.protocol, self.max_dets)
        evaluator = build_evaluator(*options)
        self.evaluator_version = evaluator.version
        found = dict.fromkeys(self.metrics, evaluator)
        if self.with_masks and truth.masks < len(truth.annotations):
            print_log(
                f"masks: {len(truth.annotations) - truth.masks} of the {len(truth.annotations)} "
                f"annotations of {self.ann_file} have none; what is found there does not count",
                logger="current",
                level=logging.WARNING,
            )
            found["segm"] = build_evaluator(*options, masks_only=True)
        return found

    def _image_ids(self, truth: Annotations, processed: list[int]) -> list[int]:
        """Return the processed image ids, sorted, and check that the annotation file has them."""
        known = truth.original_image_ids.keys()
        if unknown := set(processed) - known:
            raise UserError(
                f"image {min(unknown)} is not in {self.ann_file}: test_evaluator.ann_file must be "
                "the annotation file of test_dataloader.dataset."
            )
        if len(known) > len(set(processed)):
            print_log(
                f"evaluated {len(set(processed))} of the {len(known)} images of {self.ann_file}",
                logger="current",
            )
        return sorted(set(processed))

    def _classes(self, truth: Annotations) -> list[dict[str, Any]]:
        """Return id, name, group and (LVIS) frequency of every class, by ascending category id."""
        categories = {category["id"]: category for category in truth.categories.values()}
        names = (self._meta(key) for key in ("cat_ids", "classes", "is_base"))
        classes = []
        for cat_id, name, is_base in sorted(zip(*names, strict=True)):
            if cat_id not in categories:
                raise UserError(
                    f"category {cat_id} ({name}) of the data set is not in {self.ann_file}"
                )
            row = {"id": int(cat_id), "name": name, "group": "base" if is_base else "novel"}
            if self.protocol == "lvis":
                row["frequency"] = _frequency(categories[cat_id], self.ann_file)
            classes.append(row)
        return classes

    def _meta(self, key: str) -> Sequence[Any]:
        if not self.dataset_meta or key not in self.dataset_meta:
            raise UserError(
                f"the data set's metainfo has no '{key}': OVMetric needs classes, cat_ids and "
                "is_base (a data set of ovdistill.datasets has them)."
            )
        return self.dataset_meta[key]


def _frequency(category: dict[str, Any], ann_file: str) -> str:
    if category.get("frequency") not in ("r", "c", "f"):
        raise UserError(
            f"category {category['id']} of {ann_file} has no frequency r, c or f: it is not an "
            "LVIS file; set test_evaluator.protocol=coco."
        )
    return category["frequency"]


def _with_original_ids(results: list[dict[str, Any]], truth: Annotations) -> list[dict[str, Any]]:
    """Return COCO results for a file: with the ids of the annotation file, and masks as text."""
    for result in results:
        result["image_id"] = truth.original_image_ids[result["image_id"]]
        result["category_id"] = truth.original_category_ids[result["category_id"]]
        if "segmentation" in result:
            result["segmentation"] = rle_to_json(result["segmentation"])
    return results


def _check(option: str, got: Sequence[str], allowed: Sequence[str]) -> None:
    if not got or not set(got) <= set(allowed):
        raise UserError(f"got OVMetric {option}={list(got)}; expected values of {list(allowed)}")
