"""RKD's region-level losses as distillation terms."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from mmdet.registry import MODELS
from torch import Tensor, nn

from ovdistill.distillation.batch import DistillInputs
from ovdistill.distillation.rkd.loss import point_loss, pseudo_label_loss, relation_loss
from ovdistill.distillation.term import DistillationTerm


class Preset(NamedTuple):
    """The form that a source gives RKD's two losses; the arguments are those of ``rkd.loss``.

    Attributes:
        point: reduction of the point-wise loss.
        row_norm: norm of the rows in the relation loss.
        relation: reduction of the relation loss.
        factor: multiplies both losses.
    """

    point: Literal["sum", "mean"]
    row_norm: int
    relation: Literal["sum", "mean"]
    factor: float


# paper and released code differ in the unit of both losses, so in the weights that fit them
PRESETS = dict(
    released=Preset(point="mean", row_norm=1, relation="sum", factor=100.0),
    paper=Preset(point="sum", row_norm=2, relation="mean", factor=1.0),
)


@MODELS.register_module()
class RKDTerm(DistillationTerm):
    """Point-wise and relation distillation of regions.

    Args:
        preset: 'paper' (sum over entries, L2 rows, mean over P x P), which wins on OVShapes, or
            'released' (mean over entries, L1 rows, plain sum, all times 100).
        point_weight: beta_1; 0 leaves the loss out.
        relation_weight: beta_2; 0 leaves the loss out.
    """

    def __init__(
        self,
        preset: Literal["paper", "released"] = "paper",
        point_weight: float = 0.15,
        relation_weight: float = 0.15,
    ) -> None:
        super().__init__()
        self.form = PRESETS[preset]
        self.point_weight = point_weight
        self.relation_weight = relation_weight

    def forward(self, inputs: DistillInputs) -> dict[str, Tensor]:
        """Return ``loss_rkd_point`` and ``loss_rkd_relation``, each only if it has a weight."""
        regions, form = inputs.regions, self.form
        assert regions is not None
        losses = {}
        if self.point_weight:
            loss = point_loss(regions.student, regions.teacher, form.point)
            losses["loss_rkd_point"] = form.factor * self.point_weight * loss
        if self.relation_weight:
            loss = relation_loss(regions.student, regions.teacher, form.row_norm, form.relation)
            losses["loss_rkd_relation"] = form.factor * self.relation_weight * loss
        return losses


@MODELS.register_module()
class RKDPseudoLabelTerm(DistillationTerm):
    """Image-level supervision (PIS): each phrase of a caption labels its best region.

    RKD finds the box of a class name with a separate detector, asked for "every {name}"; here the
    teacher's own embeddings of the regions choose. The classes of the loss are the phrases of the
    batch, so no list of names is needed.

    Args:
        loss_weight: alpha, 0.1 in RKD.
        scale: factor on cosines, 50 in RKD.
        prior_bias: initial value of a learned bias on all logits; -4.6 in RKD on LVIS, where it is
            that of the classifier, None (no bias) on COCO. Without it a cosine above 0 to another
            phrase counts as wrong.
        min_similarity: smallest cosine of the teacher's embeddings of region and phrase; a phrase
            that no region of its image reaches labels nothing. Below -1 every phrase of an image
            with regions labels one.
        only_image_level: learn from batches of images without boxes alone, as in RKD
            (``OVDataset(labelled='none')``); by default from every batch.
    """

    needs = ("regions", "captions")

    def __init__(
        self,
        loss_weight: float = 0.1,
        scale: float = 50.0,
        min_similarity: float = 0.0,
        *,
        prior_bias: float | None = None,
        only_image_level: bool = False,
    ) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.scale = scale
        self.min_similarity = min_similarity
        self.only_image_level = only_image_level
        self.bias = None if prior_bias is None else nn.Parameter(torch.tensor(prior_bias))

    def forward(self, inputs: DistillInputs) -> dict[str, Tensor]:
        """Return ``loss_rkd_pseudo``."""
        regions, captions = inputs.regions, inputs.captions
        assert regions is not None and captions is not None
        left_out = self.only_image_level and not inputs.image_level
        bias = regions.student.new_zeros(()) if self.bias is None else self.bias
        if left_out or not len(regions.student) or not len(captions.phrases):
            return {"loss_rkd_pseudo": (regions.student.sum() + bias) * 0}
        own = captions.phrase_index[:, None] == regions.image_index
        # float32 even under autocast: bf16 rounds 0.999 to 1, so no phrase would equal itself
        with torch.autocast(regions.student.device.type, enabled=False):
            student, phrases = regions.student.float(), captions.phrases.float()
            similarity = torch.where(own, phrases @ regions.teacher.float().T, -2.0)
            best, region = similarity.max(dim=1)
            # equal phrases are one class: each of them is a right answer, and they share its weight
            same = (phrases @ phrases.T > 1 - 1e-3).float()
            loss = pseudo_label_loss(
                self.scale * student[region] @ phrases.T + bias,
                targets=same,
                kept=(best >= self.min_similarity) & own.any(dim=1),
                image_index=captions.phrase_index,
                images=inputs.images,
                class_weights=1 / same.sum(dim=0),
            )
        return {"loss_rkd_pseudo": self.loss_weight * loss}
