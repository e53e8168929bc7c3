"""RKD's weight transfer: the map to text embeddings is computed from the distilled map.

Shapes: R RoIs, C features of a RoI, D embedding width.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from torch import Tensor, nn

from ovdistill.models.region_word_head import RegionWordHead


@MODELS.register_module()
class WeightTransferHead(RegionWordHead):
    """A ``RegionWordHead`` whose map to text embeddings depends on its frozen distilled map.

    ``W_P = fc2(LeakyReLU(fc1(W_D)))`` on the rows of the distilled weight ``W_D``; the embedding of
    a region for alignment is ``skip(x) + W_P x``, for distillation ``W_D x``. Source: RKD, section
    3.4 and the released code. ``W_D`` comes from the checkpoint of an RKD training of the same
    detector with a ``RegionWordHead`` (``load_from``).

    Args:
        in_features: C.
        out_features: as for ``RegionWordHead``.
        embed_dim: D.
        hidden: hidden size of the two-layer map of the weight; that of the skip is twice as large.
        **kwargs: as for ``RegionWordHead``.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        embed_dim: int = 512,
        hidden: int = 512,
        **kwargs: Any,
    ) -> None:
        super().__init__(in_features, out_features, embed_dim, **kwargs)
        self.project.requires_grad_(requires_grad=False)
        self.transfer = _two_layers(in_features, hidden, in_features)
        self.skip = _two_layers(in_features, 2 * hidden, embed_dim)

    def forward(self, features: Tensor) -> Tensor:
        """Embed (R, C) features twice.

        Returns:
            (R, 2 D): the embeddings for alignment, then those for distillation, each of unit norm.
        """
        aligned = self.skip(features) + features @ self.transfer(self.project.weight).T
        distilled = super().forward(features)
        return torch.cat([F.normalize(aligned.float(), dim=-1), distilled], dim=-1)

    def for_alignment(self, outputs: Tensor) -> Tensor:
        """Return the (R, D) embeddings for alignment of (R, 2 D) outputs."""
        return outputs[..., : self.project.out_features]

    def for_distillation(self, outputs: Tensor) -> Tensor:
        """Return the (R, D) embeddings for distillation of (R, 2 D) outputs."""
        return outputs[..., self.project.out_features :]


def _two_layers(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Return two linear layers with RKD's activation between them."""
    return nn.Sequential(nn.Linear(inputs, hidden), nn.LeakyReLU(0.1), nn.Linear(hidden, outputs))
