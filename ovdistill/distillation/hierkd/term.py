"""HierKD's two levels as distillation terms."""

from __future__ import annotations

from typing import Any, Literal

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from torch import Tensor, nn

from ovdistill.distillation.batch import DistillInputs
from ovdistill.distillation.hierkd.loss import caption_loss, instance_loss, phrase_loss
from ovdistill.distillation.term import DistillationTerm


@MODELS.register_module()
class HierKDInstanceTerm(DistillationTerm):
    """Instance level: pulls regions of labelled objects to the teacher.

    HierKD embeds the predicted boxes of positive locations with the teacher in every step; here
    the teacher's embeddings of precomputed regions stand in, and a region is positive where it
    overlaps a labelled box. In a one-stage detector the loss is a mean over pyramid levels, as in
    HierKD; in a two-stage detector, which has one head for all levels, over regions.

    Args:
        loss_weight: 0.05 in HierKD for the L2 norm, 1.0 for L1.
        norm: 2 or 1.
        min_overlap: smallest IoU with a labelled box at which a region is positive.
    """

    needs = ("regions", "overlap")

    def __init__(
        self, loss_weight: float = 0.05, norm: Literal[1, 2] = 2, min_overlap: float = 0.5
    ) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.norm = norm
        self.min_overlap = min_overlap

    def forward(self, inputs: DistillInputs) -> dict[str, Tensor]:
        """Return ``loss_hierkd_instance``."""
        regions = inputs.regions
        assert regions is not None
        positive = regions.overlap >= self.min_overlap
        levels = 1 if regions.level is None else len(inputs.features)
        loss = instance_loss(
            regions.student, regions.teacher, positive, self.norm, regions.level, levels
        )
        return {"loss_hierkd_instance": self.loss_weight * loss}


@MODELS.register_module()
class HierKDGlobalTerm(DistillationTerm):
    """Global level: matches captions and images of a batch by attention over image patches.

    Args:
        loss_weight: 1.0 in HierKD.
        text: 'caption', or 'phrases' for the noun phrases of the caption.
        in_channels: C of the pyramid, which a linear map takes to the embedding space; None where
            the features are embeddings already (in a one-stage detector).
        grid: each level is max-pooled to grid x grid patches.
        scale: initial value of kappa, which is learned.
        gather: compare with the images (and captions) of all ranks.
    """

    needs: tuple[str, ...] = ("captions",)
    loss_name = "loss_hierkd_global"

    def __init__(
        self,
        loss_weight: float = 1.0,
        text: Literal["caption", "phrases"] = "caption",
        in_channels: int | None = None,
        grid: int = 3,
        scale: float = 10.0,
        *,
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

    def set_embed_dim(self, embed_dim: int) -> None:
        """Build the map from C to D."""
        if self.in_channels:
            self.project = nn.Conv2d(self.in_channels, embed_dim, 1)

    def patches(self, inputs: DistillInputs) -> Tensor:
        """Pool the pyramid levels to patches.

        Returns:
            (N, levels x grid^2, D), unit norm.
        """
        levels = [F.normalize(self.project(level).float(), dim=1) for level in inputs.features]
        pooled = [F.adaptive_max_pool2d(level, self.grid).flatten(2) for level in levels]
        return F.normalize(torch.cat(pooled, dim=2), dim=1).transpose(1, 2)

    def forward(self, inputs: DistillInputs) -> dict[str, Tensor]:
        """Return one loss, under the name ``loss_name``."""
        patches, captions = self.patches(inputs), inputs.captions
        assert captions is not None
        if self.text == "caption":
            loss = caption_loss(patches, captions.embeddings, self.scale, gather=self.gather)
        else:
            phrases, index = captions.phrases, captions.phrase_index
            loss = phrase_loss(patches, phrases, index, self.scale, gather=self.gather)
        return {self.loss_name: self.loss_weight * loss}


@MODELS.register_module()
class HierKDRegionGlobalTerm(HierKDGlobalTerm):
    """Global level on regions: matches captions with the RoI head's embeddings of regions.

    In a two-stage detector the class names are aligned with the RoI head's embeddings, and the
    patches of the pyramid never pass that head.

    Args:
        loss_weight: as for ``HierKDGlobalTerm``.
        max_regions: how many regions of each image, at most, are used (the first ones); the same
            number on all ranks.
        **kwargs: ``text``, ``scale`` and ``gather`` of ``HierKDGlobalTerm``.
    """

    needs = ("captions", "regions")
    loss_name = "loss_hierkd_region"

    def __init__(self, loss_weight: float = 1.0, max_regions: int = 10, **kwargs: Any) -> None:
        super().__init__(loss_weight, **kwargs)
        self.max_regions = max_regions

    def patches(self, inputs: DistillInputs) -> Tensor:
        """Arrange the regions of each image in a row.

        Returns:
            (N, max_regions, D), unit norm; zeros fill a row that has fewer regions. They add
            nothing to a weighted sum of patches, whose norm is removed afterwards.
        """
        regions = inputs.regions
        assert regions is not None
        index = regions.image_index
        images = torch.arange(inputs.images, device=index.device)
        counts = (index[:, None] == images).sum(dim=0)
        column = torch.arange(len(index), device=index.device) - (counts.cumsum(0) - counts)[index]
        embed_dim = regions.student.shape[1]
        # surplus regions go to a last column that is cut: no size depends on the data
        patches = regions.student.new_zeros(inputs.images, self.max_regions + 1, embed_dim)
        patches = patches.index_put((index, column.clamp(max=self.max_regions)), regions.student)
        return patches[:, :-1]
