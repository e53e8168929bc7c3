"""Masked language modelling as an objective."""

from __future__ import annotations

from torch import Tensor

from ovdistill.teacher_training.batch import TrainingBatch
from ovdistill.teacher_training.objective import TowerObjective
from ovdistill.teacher_training.objectives.masked_language.tokens import MaskedTokens
from ovdistill.teacher_training.registry import register_objective
from ovdistill.teacher_training.towers import Towers


@register_objective
class MaskedLanguage(TowerObjective):
    """Hides tokens of a text, and lets the text tower predict them.

    BERT (Devlin et al., arXiv 1810.04805), without its prediction of the next sentence. Each token
    attends to all others here, although CLIP's text tower has a causal mask elsewhere. The loss is
    a mean over the hidden tokens of a part of the batch on a rank.

    Args:
        weight: see ``Objective``.
        share: of the tokens between the first and the last of a text that have to be predicted.
            BERT: 0.15.

    Raises:
        UserError: a share out of its range, in ``set_towers``.
    """

    needs = ("texts",)

    def __init__(self, weight: float = 1.0, share: float = 0.15) -> None:
        super().__init__(weight)
        self.share = share

    def set_towers(self, towers: Towers) -> None:
        """Build the head that predicts tokens."""
        self.tokens = MaskedTokens(towers.text_width, towers, self.share)

    def forward(self, batch: TrainingBatch, towers: Towers) -> dict[str, Tensor]:
        """Return ``loss_masked_language``."""
        hidden = self.tokens.hide(batch.tokens)
        states = towers.text_states(hidden.tokens, causal=False)
        return {"loss_masked_language": self.tokens.loss(states, hidden)}
