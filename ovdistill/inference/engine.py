"""Runs a detector on images, and classifies the regions that it keeps.

Shapes: H x W pixels of an image.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.inference.asked import Asked
from ovdistill.inference.calibration import Calibration
from ovdistill.inference.detections import Detections
from ovdistill.inference.limits import Limits
from ovdistill.inference.network import Network, reduce_large
from ovdistill.inference.selection import select
from ovdistill.models.foremost_regions import foremost_regions
from ovdistill.models.kept_regions import KeptRegions, scores_of_region
from ovdistill.models.open_vocabulary_rcnn import OpenVocabularyRCNN
from ovdistill.store import Regions

ONE_STAGE = "a one-stage detector keeps no regions; expected a two-stage one, such as ovshapes"


class Engine(Network):
    """A detector's network with its test pipeline, for one set of class names at a time.

    Args:
        config: of the detector.
        weights: its checkpoint; None leaves it untrained.
        device: where it runs.
        asked: the first class names.
        calibration: turns its scores into probabilities, or None.
        half: run the network in half precision, see ``half_precision``.

    Raises:
        UserError: weights that do not fit, or class names of another teacher or width.
    """

    def __init__(
        self,
        config: Config,
        weights: Path | None,
        device: torch.device,
        asked: Asked,
        calibration: Calibration | None = None,
        *,
        half: bool = False,
    ) -> None:
        super().__init__(config, weights, device, asked, half=half)
        self.calibration = calibration

    @torch.inference_mode()
    def detect(
        self, images: Sequence[np.ndarray], limits: Limits, *, keep_regions: bool
    ) -> list[Detections]:
        """Detect objects in a batch of (H, W, 3) uint8 RGB images of any sizes.

        An image of more than ``large_images.MAX_PIXELS`` pixels is reduced first. Its boxes are in
        pixels of the image as it was, its masks in those of the reduced one.
        """
        seen = [reduce_large(image) for image in images]
        batch = self.pack(seen)
        if isinstance(self.model, OpenVocabularyRCNN):
            with self.precision():
                kept = self.model.keep_regions(batch, once=not keep_regions)
            found = [self.classify(regions, limits) for regions in kept]
            if not keep_regions:
                found = [replace(one, regions=None) for one in found]
        else:
            with self.precision():
                outputs = self.model.test_step(batch)
            found = [self._of_rows(output.pred_instances, limits) for output in outputs]
        return [
            one.moved(small.shape[:2], image.shape[:2])
            for one, small, image in zip(found, seen, images, strict=True)
        ]

    @torch.inference_mode()
    def find_regions(
        self, images: Sequence[np.ndarray], most: int, boxes: Sequence[Tensor] | None = None
    ) -> list[Regions]:
        """Return the regions of each image that show an object, see ``foremost_regions``.

        Args:
            images: (H, W, 3) uint8 RGB each.
            most: the largest number of regions of an image.
            boxes: (n, 4) of each image, xyxy, pixels, from which the regions are made; by default
                those of the RPN.

        Raises:
            UserError: the detector has one stage, which keeps no regions.
        """
        if not isinstance(self.model, OpenVocabularyRCNN):
            raise UserError(ONE_STAGE)
        seen = [reduce_large(image) for image in images]
        batch = self.pack(seen)
        factors = [_factor(small, image) for small, image in zip(seen, images, strict=True)]
        if boxes is not None:
            boxes = [(b * f).to(self.device) for b, f in zip(boxes, factors, strict=True)]
        with self.precision():
            kept = self.model.keep_regions(batch, masks=False, boxes=boxes)
        found = [foremost_regions(self.model.roi_head, regions, most) for regions in kept]
        return [
            replace(one, boxes=one.boxes / factor)
            for one, factor in zip(found, factors, strict=True)
        ]

    def requery(self, seen: Detections, limits: Limits) -> Detections:
        """Return the detections of the current class names in an image that was seen before.

        Raises:
            UserError: its regions were not kept, or the detector has one stage.
        """
        if not isinstance(self.model, OpenVocabularyRCNN):
            raise UserError(ONE_STAGE)
        if seen.regions is None:
            raise UserError(
                "these detections have no regions to look at again; expected those of "
                "predict(..., keep_regions=True)"
            )
        found = self.classify(seen.regions, limits)
        if seen.size is not None:
            height, width = seen.regions.meta["ori_shape"][:2]
            found = found.moved((height, width), seen.size)
        return replace(found, image=seen.image, path=seen.path)

    @torch.inference_mode()
    def classify(self, regions: KeptRegions, limits: Limits) -> Detections:
        """Return the detections of the current class names among the regions of an image."""
        found = self._classify(regions, limits)
        if len(found) or not limits.lowest:
            return replace(found, regions=regions)
        best = self._classify(regions, Limits(0.0, 1))
        nearest = (best.names[0], float(best.scores[0])) if len(best) else None
        return replace(found, regions=regions, nearest=nearest)

    @torch.inference_mode()
    def rank_names(self, detection: Detections, most: int) -> list[tuple[str, float]]:
        """Return the class names that fit a detection best, see ``Detector.rank_names``."""
        rows, regions = detection.region_rows, detection.regions
        if len(detection) != 1 or rows is None or regions is None:
            raise UserError(
                f"got {detection!r}; expected one detection that was made with keep_regions=True"
            )
        if detection.queries != self.asked.queries:
            raise UserError(
                f"got a detection of {detection.queries}; expected {self.asked.queries}, which the "
                "detector looks for now: requery first"
            )
        scores = scores_of_region(self.model.roi_head, regions, int(rows[0]), self._groups)
        best = scores.float().topk(min(most, len(scores)))
        values = best.values.cpu().numpy()
        if self.calibration:
            values = self.calibration.probabilities(values)
        names = [self.asked.names[label] for label in best.indices.tolist()]
        return list(zip(names, values.tolist(), strict=True))

    @property
    def _groups(self) -> Tensor | None:
        return torch.tensor(self.asked.classes) if self.asked.has_phrases else None

    def _classify(self, regions: KeptRegions, limits: Limits) -> Detections:
        asked = self.asked
        lowest = self.calibration.score(limits.lowest) if self.calibration else limits.lowest
        instances = self.model.classify_regions(
            regions,
            score_threshold=lowest,
            most=self.model.roi_head.test_cfg.max_per_img,
            wanted=asked.wanted,
            groups=self._groups,
        )
        embeddings = regions.final_embeddings[instances.regions]
        instances.embeddings = embeddings[:, : asked.vocabulary.embed_dim]

        def paste(chosen: Tensor) -> Tensor:
            return self.model.region_masks(regions, instances.regions[chosen])

        return self._select(instances, limits, paste if self.model.roi_head.with_mask else None)

    def _of_rows(self, instances: Any, limits: Limits) -> Detections:
        """Select from detections whose labels are rows of the vocabulary."""
        classes = torch.tensor(self.asked.classes, device=instances.labels.device)
        instances.labels = classes[instances.labels]
        return self._select(instances, limits)

    def _select(
        self, instances: Any, limits: Limits, paste: Callable[[Tensor], Tensor] | None = None
    ) -> Detections:
        asked = self.asked
        return select(instances, asked.queries, limits, asked.names, self.calibration, paste)


def _factor(small: np.ndarray, image: np.ndarray) -> Tensor:
    """Return the (4,) factors from xyxy pixels of an image to those of the reduced one."""
    (h, w), (height, width) = small.shape[:2], image.shape[:2]
    return torch.tensor([w / width, h / height] * 2)
