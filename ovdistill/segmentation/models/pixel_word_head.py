"""The head that embeds every pixel.

Shapes: N images, C channels of the pyramid, D embedding width, W class names, h x w its grid.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from mmdet.models.seg_heads import PanopticFPNHead
from mmdet.registry import MODELS
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.distillation.batch import TextEmbeddings
from ovdistill.segmentation.losses.pixel_word import pixel_word_logits
from ovdistill.vocabulary import Vocabulary


@MODELS.register_module()
class PixelWordHead(PanopticFPNHead):
    """mmdet's head of panoptic FPN, whose channels are embeddings instead of classes.

    It brings all levels of a pyramid to the grid of the finest one and adds them.

    Args:
        embed_dim: D.
        temperature: cosines are divided by it; 0.07 in LSeg.
        upsample: by how much finer the grid is than the finest level; embeddings are interpolated.
        **kwargs: as for mmdet's ``PanopticFPNHead``: ``in_channels``, ``inner_channels``,
            ``start_level``, ``end_level``, ``norm_cfg``.

    Raises:
        UserError: a temperature or factor that is not positive.
    """

    text_embeddings: Tensor
    is_base: Tensor

    def __init__(
        self, embed_dim: int, temperature: float = 0.07, upsample: int = 1, **kwargs: Any
    ) -> None:
        if not temperature > 0 or upsample < 1:
            raise UserError(
                f"PixelWordHead(temperature={temperature}, upsample={upsample}); expected a "
                "temperature above 0 and a factor of 1 or more"
            )
        unused = dict(type="CrossEntropyLoss", avg_non_ignore=True)  # terms have the losses
        super().__init__(
            num_things_classes=0, num_stuff_classes=embed_dim - 1, loss_seg=unused, **kwargs
        )
        self.embed_dim = embed_dim
        self.temperature = temperature
        self.upsample = upsample
        self.register_buffer("text_embeddings", torch.zeros(0, embed_dim), persistent=False)
        self.register_buffer("is_base", torch.zeros(0, dtype=torch.bool), persistent=False)

    def set_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Replace the class names."""
        self.text_embeddings = vocabulary.embeddings.to(self.text_embeddings.device)
        self.is_base = vocabulary.is_base.to(self.is_base.device)

    def texts(self) -> TextEmbeddings:
        """Return the text embeddings as distillation terms see them."""
        return TextEmbeddings(self.text_embeddings, self.is_base, self.temperature)

    def embed(self, x: tuple[Tensor, ...]) -> Tensor:
        """Return the (N, D, h, w) float32 embeddings, unit norm along D.

        Args:
            x: pyramid levels, each (N, C, H_l, W_l).
        """
        features = self(x)["seg_preds"].float()
        if self.upsample > 1:
            features = F.interpolate(
                features, scale_factor=self.upsample, mode="bilinear", align_corners=False
            )
        return F.normalize(features, dim=1)

    def log_scores(self, pixels: Tensor) -> Tensor:
        """Return the (N, W, h, w) log-probabilities of the class names at (N, D, h, w) pixels."""
        logits = pixel_word_logits(pixels, self.text_embeddings, self.temperature)
        return logits.log_softmax(dim=-1).movedim(-1, 1)
