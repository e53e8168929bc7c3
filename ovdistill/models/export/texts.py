"""Class names as tensors, so that they can be an input of a graph.

Shapes: W class names, G classes, D embedding width, R regions.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ovdistill.models.roi_head import OpenVocabularyRoIHead


class Texts(NamedTuple):
    """The class names of a detector.

    Attributes:
        embeddings: (W, D) float32, unit norm.
        is_base: (W,) bool.
        classes: (W,) int64, the class of each name, by rising numbers.
        wanted: () int64, how many classes are detected; the others compete with them.
    """

    embeddings: Tensor
    is_base: Tensor
    classes: Tensor
    wanted: Tensor


class TextScores(nn.Module):
    """Scores embeddings as a RoI head does, with class names that it is given.

    Args:
        head: its own class names are not used.
        grouped: some class has several names, whose scores are added.
    """

    def __init__(self, head: OpenVocabularyRoIHead, *, grouped: bool) -> None:
        super().__init__()
        self.own = _OwnScores(head)
        self.grouped = grouped

    def log_scores(self, embeddings: Tensor, texts: Texts) -> Tensor:
        """Return the (R, W + 1) log-scores of (R, E) embeddings, see ``score_embeddings``."""
        given = {}
        for name, _ in self.own.named_buffers():
            if name.endswith("fc_cls.text_embeddings"):
                given[name] = texts.embeddings
            elif name.endswith("fc_cls.is_base"):
                given[name] = texts.is_base
        return functional_call(self.own, given, (embeddings,))

    def of_classes(self, log_scores: Tensor, texts: Texts) -> Tensor:
        """Return the (R, W) scores of classes, in [0, 1]; column i is class i, those after G are 0.

        Args:
            log_scores: (R, W + 1).
            texts: the class names.
        """
        scores = self.own.head.bbox_head.loss_cls.get_activation(log_scores)[:, :-1]
        if not self.grouped:
            return scores
        columns = torch.arange(texts.classes.shape[0], device=scores.device)
        member = (texts.classes[:, None] == columns).to(scores.dtype)
        return (scores @ member).clamp(max=1)


class _OwnScores(nn.Module):
    """A module of ``score_embeddings``, so that its buffers can be replaced in a call."""

    def __init__(self, head: OpenVocabularyRoIHead) -> None:
        super().__init__()
        self.head = head

    def forward(self, embeddings: Tensor) -> Tensor:
        return self.head.score_embeddings(embeddings)
