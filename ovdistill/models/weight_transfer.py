"""RKD's weight transfer: words are aligned with a map that is computed from the distilled one.

Shapes: R regions, C features of a region, D embedding width, W words.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from torch import Tensor, nn

from ovdistill.models.region_word_head import RegionWordHead


@MODELS.register_module()
class WeightTransferHead(RegionWordHead):
    """A ``RegionWordHead`` whose distilled map is frozen, and conditions the map to the words.

    ``W_P = fc2(LeakyReLU(fc1(W_D)))`` on the rows of the distilled weight ``W_D``; a region is
    embedded for words as ``skip(x) + W_P x``, for distillation as ``W_D x``. Source: RKD, section
    3.4 and the released code. ``W_D`` comes from the checkpoint of an RKD training of the same
    detector with a ``RegionWordHead`` (``load_from``).

    Args:
        in_features: C.
        out_features: as for ``RegionWordHead``.
        embed_dim: D.
        hidden: width of the two-layer maps of the weight; twice of it for the skip.
        **kwargs: as ``RegionWordHead``.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        embed_dim: int = 512,
        hidden: int = 512,
        **kwargs,
    ) -> None:
        super().__init__(in_features, out_features, embed_dim, **kwargs)
        self.project.requires_grad_(False)
        self.transfer = _two_layers(in_features, hidden, in_features)
        self.skip = _two_layers(in_features, 2 * hidden, embed_dim)

    def forward(self, features: Tensor) -> Tensor:
        """(R, C) -> (R, 2 D): the embeddings for words, then those for distillation."""
        for_words = self.skip(features) + features @ self.transfer(self.project.weight).T
        distilled = super().forward(features)
        return torch.cat([F.normalize(for_words.float(), dim=-1), distilled], dim=-1)

    def for_words(self, embeddings: Tensor) -> Tensor:
        """(R, 2 D) of ``forward`` -> (R, D)."""
        return embeddings[..., : self.words.shape[1]]

    def for_distillation(self, embeddings: Tensor) -> Tensor:
        """(R, 2 D) of ``forward`` -> (R, D)."""
        return embeddings[..., self.words.shape[1] :]


def _two_layers(width: int, hidden: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, hidden), nn.LeakyReLU(0.1), nn.Linear(hidden, out))
