"""ProposalRecall: how many base and novel objects class-agnostic proposals find."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmdet.registry import METRICS
from mmengine.evaluator import BaseMetric
from torch import Tensor
from torchvision.ops import box_convert

from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations import Annotations, read_annotations
from ovdistill.evaluation.recall import match, recalls


@METRICS.register_module()
class ProposalRecall(BaseMetric):
    """Recall of region proposals on all, base and novel objects, from one common matching.

    Keys, in percent, with -1.0 where there is no ground truth: ``proposal/AR100``, ``AR100_base``,
    ``AR100_novel`` (mean recall over IoU 0.5:0.05:0.95 of the 100 best proposals) and ``R50``,
    ``R50_base``, ``R50_novel`` (recall at IoU 0.5 of the largest number of proposals).

    The detector must put ``proposals`` (``bboxes`` (n, 4) xyxy, absolute pixels of the original
    image, and ``scores`` (n,)) into its test output. Crowd boxes do not count.

    Args:
        ann_file: COCO or LVIS annotation file with the true boxes of all classes.
        numbers: numbers of proposals of an image at which recall is measured.
        collect_device: 'cpu' or 'gpu', see BaseMetric.
        prefix: if given, it takes the place of ``proposal`` in the keys.

    Raises:
        UserError: no such annotation file, or a detector that gives no proposals.
    """

    default_prefix = "proposal"

    def __init__(
        self,
        ann_file: str,
        numbers: Sequence[int] = (10, 100),
        collect_device: str = "cpu",
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        if not Path(ann_file).is_file():
            raise UserError(f"no annotation file {ann_file}: set the ann_file of ProposalRecall")
        self.ann_file = str(ann_file)
        self.numbers = sorted(numbers)
        self._truth: Annotations | None = None

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Match the proposals of a batch with the true boxes, and keep the IoUs.

        Args:
            data_batch: not used.
            data_samples: the detector's output, with 'img_id' and 'proposals'.
        """
        for data_sample in data_samples:
            if "proposals" not in data_sample:
                raise UserError(
                    "ProposalRecall got a test output without 'proposals': add `--cfg-options "
                    "model.test_cfg.rcnn.keep_proposals=True`."
                )
            boxes, is_base = self._true_boxes(int(data_sample["img_id"]))
            proposals = data_sample["proposals"]
            order = proposals["scores"].argsort(descending=True, stable=True)
            ranked = proposals["bboxes"][order].detach().cpu()
            self.results.append((is_base, [match(boxes, ranked[:n]) for n in self.numbers]))

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Compute recall over the true boxes of all images; the keys are described at the class."""
        is_base = np.concatenate([np.zeros(0, bool), *(flags for flags, _ in results)])
        groups = {"": np.ones_like(is_base), "_base": is_base, "_novel": ~is_base}
        flat = {}
        for position, number in enumerate(self.numbers):
            matched = np.concatenate([np.zeros(0), *(found[position] for _, found in results)])
            for group, chosen in groups.items():
                flat[f"AR{number}{group}"], at_50 = recalls(matched[chosen])
                if number == self.numbers[-1]:
                    flat[f"R50{group}"] = at_50
        return flat

    def _true_boxes(self, image_id: int) -> tuple[Tensor, np.ndarray]:
        """Return (G, 4) boxes, xyxy in pixels of the original image, and (G,) bool, True = base."""
        if self._truth is None:
            self._truth = read_annotations(self.ann_file, allow_outside_images=True)
        meta = self.dataset_meta
        groups = dict(zip(meta["cat_ids"], meta["is_base"], strict=True))
        chosen = [
            record
            for record in self._truth.by_image.get(image_id, ())
            if record["category_id"] in groups and not record["iscrowd"]
        ]
        boxes = torch.tensor([a["bbox"] for a in chosen], dtype=torch.float64).reshape(-1, 4)
        flags = np.array([groups[a["category_id"]] for a in chosen], dtype=bool)
        return box_convert(boxes, "xywh", "xyxy"), flags
