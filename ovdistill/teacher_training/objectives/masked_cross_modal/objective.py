"""Masked cross-modal modelling as an objective."""

from __future__ import annotations

from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.teacher.dense import dense_stride
from ovdistill.teacher_training.batch import TrainingBatch, is_text
from ovdistill.teacher_training.fusion import Fusion
from ovdistill.teacher_training.objective import TowerObjective
from ovdistill.teacher_training.objectives.masked_image.pixels import MaskedPixels
from ovdistill.teacher_training.objectives.masked_language.tokens import MaskedTokens
from ovdistill.teacher_training.registry import register_objective
from ovdistill.teacher_training.towers import Towers


@register_objective
class MaskedCrossModal(TowerObjective):
    """Hides squares of an image and tokens of its text, and predicts each from both.

    The masked multimodal modelling of FLAVA (Singh et al., arXiv 2112.04482), section 3.2. What
    differs: hidden squares are predicted as pixels (SimMIM's loss) instead of as codes of a
    discrete autoencoder, which would be a second model to download; squares are drawn one by one
    instead of in blocks. The formulas are ``masked_pixel_loss`` and ``masked_token_loss``.

    Args:
        weight: see ``Objective``.
        ratio: share of the squares that is hidden. FLAVA: 0.4 of the patches.
        square: side of a square in pixels, see ``MaskedImage``.
        share: of the tokens that have to be predicted. FLAVA: 0.15.
        image_weight: factor on the pixels' loss alone; 0 leaves images whole.
        width: of the fusion, see ``Fusion``, as are the next two.
        layers: number of its layers.
        heads: number of its attention heads.

    Raises:
        UserError: a value out of its range; some in ``set_towers``.
    """

    needs = ("images", "texts")

    def __init__(
        self,
        weight: float = 1.0,
        ratio: float = 0.4,
        square: int | None = None,
        share: float = 0.15,
        image_weight: float = 1.0,
        width: int = 256,
        layers: int = 2,
        heads: int = 4,
    ) -> None:
        super().__init__(weight)
        if image_weight < 0:
            raise UserError(
                f"MaskedCrossModal with image_weight {image_weight}; expected 0 or more"
            )
        self.ratio, self.square, self.share = ratio, square, share
        self.image_weight = image_weight
        self.hides_images = image_weight > 0
        self.sizes = width, layers, heads

    def set_towers(self, towers: Towers) -> None:
        """Build the fusion and the heads that predict tokens and pixels."""
        width = self.sizes[0]
        self.fusion = Fusion(towers, *self.sizes)
        self.tokens = MaskedTokens(width, towers, self.share)
        if self.image_weight:
            stride = dense_stride(towers.model)
            self.pixels = MaskedPixels(width, towers.image_size, stride, self.square, self.ratio)

    def forward(self, batch: TrainingBatch, towers: Towers) -> dict[str, Tensor]:
        """Return ``loss_cross_modal_text`` and, unless images stay whole, ``..._image``."""
        images = batch.images
        if self.image_weight:
            images, mask = self.pixels.hide(images)
        hidden = self.tokens.hide(batch.tokens)
        fused = self.fusion(
            towers.image_map(images),
            towers.text_states(hidden.tokens, causal=False),
            is_text(batch.tokens),
        )
        losses = {"loss_cross_modal_text": self.tokens.loss(fused.text, hidden)}
        if self.image_weight:
            loss = self.pixels.loss(fused.image, batch.images, mask)
            losses["loss_cross_modal_image"] = self.image_weight * loss
        return losses
