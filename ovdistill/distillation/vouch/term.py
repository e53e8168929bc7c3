"""Vouch as a distillation term."""

from __future__ import annotations

import logging

from mmdet.registry import MODELS
from torch import Tensor

from ovdistill.distillation.batch import DistillInputs
from ovdistill.distillation.overlap import image_iou
from ovdistill.distillation.term import DistillationTerm
from ovdistill.distillation.vouch.calibration import ObjectnessCalibration
from ovdistill.distillation.vouch.loss import object_evidence, weighted_image_loss

LOGGER = logging.getLogger(__name__)
FIRST_LOOK = 200  # steps after which the premise is checked


@MODELS.register_module()
class VouchTerm(DistillationTerm):
    """Treats regions that surely hold an object as objects, labelled or not.

    The score of the proposal network says how surely a region holds an object. This score,
    calibrated on the labelled objects of the run, weights the distillation of the region, and
    reduces the weight of the background target for RoIs that match the region. Where the score
    does not tell labelled objects from other regions, the term becomes ViLD's, with a warning.

    Args:
        image_weight: of the L1 distance to the teacher, in ViLD's unit (summed over D).
        soften: 0 keeps the full weight of the background target, 1 removes it where a region
            certainly holds an object.
        min_overlap: smallest IoU at which a region matches a RoI or a labelled box.
    """

    needs = ("regions", "rois")

    def __init__(
        self, image_weight: float = 0.5, soften: float = 1.0, min_overlap: float = 0.5
    ) -> None:
        super().__init__()
        self.image_weight = image_weight
        self.soften = soften
        self.min_overlap = min_overlap
        self.calibration = ObjectnessCalibration()
        self.steps = 0

    def roi_weights(self, inputs: DistillInputs) -> Tensor | None:
        """Return (R,) ones, and less for background RoIs that match a likely object."""
        sampled, regions = inputs.sampled, inputs.regions
        assert sampled is not None and regions is not None
        if not inputs.image_level:  # without boxes nothing tells which regions hold objects
            self.calibration.update(regions.objectness, regions.overlap >= self.min_overlap)
        if not self.soften:
            return None
        overlap = image_iou(sampled.boxes, sampled.image_index, regions.boxes, regions.image_index)
        sure = self.calibration.trust() * self.calibration.evidence(regions.objectness)
        evidence = object_evidence(overlap, sure, self.min_overlap)
        return 1 - self.soften * evidence * (sampled.labels == len(inputs.texts.is_base))

    def forward(self, inputs: DistillInputs) -> dict[str, Tensor]:
        """Return ``loss_vouch_image``, if it has a weight."""
        regions = inputs.regions
        assert regions is not None
        self._check_premise()
        if not self.image_weight:
            return {}
        trust = self.calibration.trust()
        weights = 1 - trust + trust * self.calibration.evidence(regions.objectness)
        loss = weighted_image_loss(regions.student, regions.teacher, weights)
        return {"loss_vouch_image": self.image_weight * loss}

    def _check_premise(self) -> None:
        """Warn once where objectness says little about what holds an object."""
        self.steps += 1
        if self.steps != FIRST_LOOK:
            return
        trust = float(self.calibration.trust())
        if trust < 0.5:
            LOGGER.warning(
                "Vouch: the proposal network's scores hardly tell labelled objects from other "
                "regions (trust %.2f of 1), so regions are weighted nearly alike, as in ViLD. See "
                "`ovdistill store info STORE --annotations FILE`.",
                trust,
            )
