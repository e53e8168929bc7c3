"""HierKD's two levels as distillers."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from torch import Tensor, nn

from ovdistill.distillation.batch import DistillInputs
from ovdistill.distillation.hierkd.loss import caption_loss, instance_loss, phrase_loss
from ovdistill.distillation.term import DistillationTerm


@MODELS.register_module()
class HierKDInstanceTerm(DistillationTerm):
    """Instance level: regions of labelled objects are pulled to the teacher.

    HierKD embeds the predicted boxes of positive locations with the teacher in every step; here
    the teacher's embeddings of precomputed regions stand in, and a region is positive where it
    overlaps a labelled box.

    Args:
        loss_weight: 0.05 in HierKD for the L2 norm, 1.0 for L1.
        norm: 2 or 1.
        min_overlap: IoU with a labelled box from which on a region is positive.
    """

    def __init__(
        self, loss_weight: float = 0.05, norm: Literal[1, 2] = 2, min_overlap: float = 0.5
    ) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.norm = norm
        self.min_overlap = min_overlap

    def forward(self, inputs: DistillInputs) -> dict[str, Tensor]:
        """Returns ``loss_hierkd_instance``."""
        regions = inputs.regions
        positive = regions.overlap >= self.min_overlap
        loss = instance_loss(regions.student, regions.teacher, positive, self.norm)
        return {"loss_hierkd_instance": self.loss_weight * loss}


@MODELS.register_module()
class HierKDGlobalTerm(DistillationTerm):
    """Global level: a caption attends the image, and tells it from the batch's others.

    Args:
        loss_weight: 1.0 in HierKD.
        text: 'caption', or 'phrases' for the noun phrases of the caption.
        in_channels: C of the pyramid, which a linear map takes to the embedding space; None where
            the features are embeddings already (a one-stage detector's).
        grid: each level is max-pooled to grid x grid patches.
        scale: kappa at first; it is learned.
        gather: contrast with the images (and captions) of all ranks.
    """

    needs = ("captions",)
    loss_name = "loss_hierkd_global"

    def __init__(
        self,
        loss_weight: float = 1.0,
        text: Literal["caption", "phrases"] = "caption",
        in_channels: int | None = None,
        grid: int = 3,
        scale: float = 10.0,
        gather: bool = False,
    ) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.text = text
        self.in_channels = in_channels
        self.grid = grid
        self.gather = gather
        self.scale = nn.Parameter(torch.tensor(scale))
        self.project: nn.Module = nn.Identity()

    def set_width(self, embed_dim: int) -> None:
        """Makes the map from C to D."""
        if self.in_channels:
            self.project = nn.Conv2d(self.in_channels, embed_dim, 1)

    def patches(self, inputs: DistillInputs) -> Tensor:
        """Pyramid levels (N, C, H_l, W_l) -> (N, levels x grid^2, D), unit norm."""
        levels = [F.normalize(self.project(level).float(), dim=1) for level in inputs.features]
        pooled = [F.adaptive_max_pool2d(level, self.grid).flatten(2) for level in levels]
        return F.normalize(torch.cat(pooled, dim=2), dim=1).transpose(1, 2)

    def forward(self, inputs: DistillInputs) -> dict[str, Tensor]:
        """Returns one loss, by the name of ``loss_name``."""
        patches = self.patches(inputs)
        captions = inputs.captions
        if self.text == "caption":
            loss = caption_loss(patches, captions.embeddings, self.scale, self.gather)
        else:
            loss = phrase_loss(
                patches, captions.phrases, captions.phrase_index, self.scale, self.gather
            )
        return {self.loss_name: self.loss_weight * loss}


@MODELS.register_module()
class HierKDRegionGlobalTerm(HierKDGlobalTerm):
    """Global level on regions: a caption attends what the RoI head makes of them.

    In a two-stage detector the words are aligned with the RoI head's embeddings, which the
    pyramid's patches never pass.

    Args:
        loss_weight: as ``HierKDGlobalTerm``.
        max_regions: an image's first so many take part; the same number on all ranks.
        **kwargs: ``text``, ``scale`` and ``gather`` of ``HierKDGlobalTerm``.
    """

    needs = ("captions", "regions")
    loss_name = "loss_hierkd_region"

    def __init__(self, loss_weight: float = 1.0, max_regions: int = 10, **kwargs) -> None:
        super().__init__(loss_weight, **kwargs)
        self.max_regions = max_regions

    def patches(self, inputs: DistillInputs) -> Tensor:
        """(P, D) regions -> (N, max_regions, D), unit norm; empty places are zero.

        Those add nothing to a weighted sum of patches, and its norm does not count.
        """
        regions = inputs.regions
        index = regions.image_index
        images = torch.arange(inputs.images, device=index.device)
        counts = (index[:, None] == images).sum(dim=0)
        place = torch.arange(len(index), device=index.device) - (counts.cumsum(0) - counts)[index]
        width = regions.student.shape[1]
        # what is over goes to a last column and is cut: no size depends on the data
        patches = regions.student.new_zeros(inputs.images, self.max_regions + 1, width)
        patches = patches.index_put((index, place.clamp(max=self.max_regions)), regions.student)
        return patches[:, :-1]
