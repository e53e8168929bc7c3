"""The losses of segmentation as distillation terms, which a segmentor's ``distillers`` lists."""

from __future__ import annotations

from typing import Any, Literal

import torch
from mmdet.registry import MODELS
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.distillation.batch import DistillInputs, DistillPixels
from ovdistill.distillation.term import DistillationTerm
from ovdistill.segmentation.losses.pixel_distillation import pixel_embedding_loss, pseudo_labels
from ovdistill.segmentation.losses.pixel_word import (
    NOT_LABELLED,
    pixel_word_logits,
    pixel_word_loss,
)


@MODELS.register_module()
class PixelWordTerm(DistillationTerm):
    """Aligns labelled pixels with their class names (LSeg).

    Args:
        loss_weight: of the mean over the labelled pixels of a rank.
        train_novel: let the novel names compete too: for an oracle whose data label them. Without
            it labels of novel names are no labels: as in detection, a novel class takes no part in
            the losses, whatever the data label.
    """

    needs = ("pixels",)

    def __init__(self, loss_weight: float = 1.0, *, train_novel: bool = False) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.train_novel = train_novel

    def forward(self, inputs: DistillInputs) -> dict[str, Tensor]:
        """Return ``loss_pixel_word``."""
        pixels = pixels_of(inputs)
        known, labels = None, pixels.labels
        if not self.train_novel:
            known = inputs.texts.is_base
            labels = labels.masked_fill(~known[labels.clamp(min=0)], NOT_LABELLED)
        loss = pixel_word_loss(_logits(inputs, pixels.student, known), labels)
        return dict(loss_pixel_word=self.loss_weight * loss)


@MODELS.register_module()
class PixelEmbeddingTerm(DistillationTerm):
    """Pulls pixel embeddings to the teacher's dense ones, which needs no class name (inductive).

    Args:
        loss_weight: of the mean cosine distance over the chosen pixels of a rank.
        chosen: 'unlabelled' pixels, or 'all' of them. A pixel that is ignored, such as a border
            between objects, is not unlabelled.
    """

    needs = ("dense",)

    def __init__(
        self, loss_weight: float = 1.0, chosen: Literal["unlabelled", "all"] = "unlabelled"
    ) -> None:
        super().__init__()
        if chosen not in ("unlabelled", "all"):
            raise UserError(
                f"PixelEmbeddingTerm(chosen={chosen!r}); expected 'unlabelled' or 'all'"
            )
        self.loss_weight = loss_weight
        self.chosen = chosen

    def forward(self, inputs: DistillInputs) -> dict[str, Tensor]:
        """Return ``loss_pixel_embedding``."""
        pixels = pixels_of(inputs)
        chosen = pixels.inside if self.chosen == "all" else pixels.inside & pixels.unlabelled
        loss = pixel_embedding_loss(pixels.student, teacher_of(pixels), chosen)
        return dict(loss_pixel_embedding=self.loss_weight * loss)


@MODELS.register_module()
class PseudoLabelTerm(DistillationTerm):
    """Labels unlabelled pixels by the teacher, later by the student itself (MaskCLIP+).

    It trains the labelled pixels too, in place of ``PixelWordTerm``: as in the paper there is one
    cross-entropy, in which every pixel weighs the same and all names compete. In a mean of their
    own, the few pixels with a pseudo label would weigh many times as much as a labelled one.

    The names are known in training, as in the paper (its transductive setting): a vocabulary whose
    novel names are others must be given to a new training.

    Args:
        self_training_after: iterations with the teacher's labels; those that follow take the
            student's. The paper's student learns from the teacher in the first tenth of a training.
        loss_weight: of the mean over the pixels with a label or a pseudo label, of a rank.
        names: the names to choose from: 'novel' ones, as in the paper, or 'all'.
        least: see ``pseudo_labels``; 0 in the paper.
    """

    step: Tensor
    needs = ("dense",)

    def __init__(
        self,
        self_training_after: int,
        loss_weight: float = 1.0,
        names: Literal["novel", "all"] = "novel",
        least: float = 0.0,
    ) -> None:
        super().__init__()
        if names not in ("novel", "all"):
            raise UserError(f"PseudoLabelTerm(names={names!r}); expected 'novel' or 'all'")
        self.self_training_after = self_training_after
        self.loss_weight = loss_weight
        self.names = names
        self.least = least
        # saved, so that a resumed training is in the same phase; whole numbers of a term are left
        # out of weights that a new training starts from (``SafeCheckpointHook``)
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))
        self._step: int | None = None  # the same, known without waiting for a GPU

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        self._step = None

    def forward(self, inputs: DistillInputs) -> dict[str, Tensor]:
        """Return ``loss_pseudo_label``."""
        pixels, texts = pixels_of(inputs), inputs.texts
        step = int(self.step) if self._step is None else self._step
        of_teacher = step < self.self_training_after
        self.step += 1
        self._step = step + 1
        if self._step >= self.self_training_after:
            self.needs = ("pixels",)  # from the next batch on
        everything = torch.ones_like(texts.is_base)
        candidates = everything if self.names == "all" else ~texts.is_base
        logits = _logits(inputs, pixels.student, None)
        judged = _teacher_logits(pixels, texts.embeddings) if of_teacher else logits
        guessed = pseudo_labels(judged, pixels.unlabelled, candidates, self.least)
        labels = torch.where(pixels.unlabelled, guessed, pixels.labels)
        return dict(loss_pseudo_label=self.loss_weight * pixel_word_loss(logits, labels))


def pixels_of(inputs: DistillInputs) -> DistillPixels:
    """Return the pixels of a batch.

    Raises:
        UserError: it is a detector's.
    """
    if inputs.pixels is None:
        raise UserError(
            "a term of segmentation in the distillers of a detector, which embeds no pixels; "
            "expected the distillers of an OpenVocabularySegmentor"
        )
    return inputs.pixels


def teacher_of(pixels: DistillPixels) -> Tensor:
    """Return the teacher's (N, D, h, w) embeddings of pixels, which the segmentor has filled."""
    assert pixels.teacher is not None
    return pixels.teacher


def _teacher_logits(pixels: DistillPixels, texts: Tensor) -> Tensor:
    """Return the (N, h, w, W) logits of the teacher's pixels, at its own temperature."""
    assert pixels.teacher_temperature is not None
    return pixel_word_logits(teacher_of(pixels), texts, pixels.teacher_temperature)


def _logits(inputs: DistillInputs, pixels: Tensor, known: Tensor | None) -> Tensor:
    texts = inputs.texts
    return pixel_word_logits(pixels, texts.embeddings, texts.temperature, known)
