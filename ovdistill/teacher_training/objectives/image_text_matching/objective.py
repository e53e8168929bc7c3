"""Image-text matching as an objective."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ovdistill.core.errors import UserError
from ovdistill.teacher_training.batch import TrainingBatch, is_text
from ovdistill.teacher_training.fusion import Fusion
from ovdistill.teacher_training.objective import TowerObjective
from ovdistill.teacher_training.objectives.image_text_matching.loss import (
    draw_negatives,
    matching_loss,
    mismatches,
)
from ovdistill.teacher_training.registry import register_objective
from ovdistill.teacher_training.towers import Towers

NEGATIVES = ("hard", "shuffled")


@register_objective
class ImageTextMatching(TowerObjective):
    """Asks a fusion of both towers whether a text fits an image.

    Each pair of the batch fits; each image with one wrong text of the batch, and each text with one
    wrong image, do not. Wrong ones are drawn by their similarity (ALBEF, Li et al., arXiv
    2107.07651) or evenly (FLAVA, Singh et al., arXiv 2112.04482). What differs from ALBEF: the
    similarity is that of the towers themselves, from a pass without gradient, and the fusion is
    FLAVA's, with attention over both, instead of cross-attention in upper layers of the text tower.
    Negatives come from the part of the batch on this rank, as in ALBEF's code.

    Args:
        weight: see ``Objective``.
        negatives: 'hard' or 'shuffled'.
        temperature: cosines are divided by it before hard negatives are drawn. ALBEF learns it
            and begins with 0.07.
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
        negatives: str = "hard",
        temperature: float = 0.07,
        width: int = 256,
        layers: int = 2,
        heads: int = 4,
    ) -> None:
        super().__init__(weight)
        if negatives not in NEGATIVES or temperature <= 0:
            raise UserError(
                f"ImageTextMatching with negatives {negatives!r} and temperature {temperature}; "
                f"expected negatives of {', '.join(NEGATIVES)}, and a temperature above 0"
            )
        self.negatives = negatives
        self.temperature = temperature
        self.sizes = width, layers, heads

    def set_towers(self, towers: Towers) -> None:
        """Build the fusion and the classifier of its class token."""
        self.fusion = Fusion(towers, *self.sizes)
        self.classifier = nn.Linear(self.sizes[0], 1)

    def forward(self, batch: TrainingBatch, towers: Towers) -> dict[str, Tensor]:
        """Return ``loss_image_text_matching``."""
        allowed = mismatches(batch.labels, batch.tokens)
        similarity = self._similarity(batch, towers)
        (texts, has_text), (images, has_image) = (
            draw_negatives(logits, allowed) for logits in (similarity, similarity.T)
        )
        own = torch.arange(len(batch.images), device=images.device)
        # pairs that fit, images with wrong texts, texts with wrong images
        of_image, of_text = torch.cat([own, own, images]), torch.cat([own, texts, own])
        fused = self.fusion(
            towers.image_map(batch.images)[of_image],
            towers.text_states(batch.tokens)[of_text],
            is_text(batch.tokens)[of_text],
        )
        logits = self.classifier(fused.pair)[:, 0]
        found = torch.cat([has_text, has_image])
        loss = matching_loss(logits[: len(own)], logits[len(own) :], found)
        return {"loss_image_text_matching": loss}

    @torch.no_grad()
    def _similarity(self, batch: TrainingBatch, towers: Towers) -> Tensor:
        """Return (N, N) logits by which negatives are drawn, images by texts."""
        if self.negatives == "shuffled":
            return torch.zeros(len(batch.images), len(batch.tokens), device=batch.images.device)
        images, texts = towers.encode_images(batch.images), towers.encode_texts(batch.tokens)
        torch.clear_autocast_cache()  # older torch would reuse weights that were cast without graph
        return images @ texts.T / self.temperature
