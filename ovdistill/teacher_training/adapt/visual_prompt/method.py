"""Learns a visual prompt: pixels around the image, or in its corner, in front of a frozen tower.

Source: Bahng et al., "Exploring Visual Prompts for Adapting Large-Scale Models", arXiv 2203.17274.
Differences: AdamW in place of SGD with a rate of 40, and some epochs in place of 1000; the prompt
is in the units of pixels in [0, 1], before they are normalised, and starts at zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.teacher import Teacher
from ovdistill.teacher.adapters.visual_prompt import VisualPrompt
from ovdistill.teacher_training.adapt.data import (
    Adaptation,
    AdaptData,
    AdaptMethod,
    adapted_by,
)
from ovdistill.teacher_training.adapt.embed_crops import CropEmbedder
from ovdistill.teacher_training.adapt.fit import fit
from ovdistill.teacher_training.adapt.loss import name_loss
from ovdistill.vocabulary import Vocabulary

USUAL_WIDTH = 30 / 224  # of a frame, as a share of the image's side: the paper's


@dataclass(frozen=True, kw_only=True)
class VisualPromptMethod(AdaptMethod):
    """Settings of visual prompts.

    Attributes:
        width: pixels: of the frame's sides, or the side of the patch; None for the paper's share
            of the image, 30 of 224.
        place: 'frame' or 'patch'.
    """

    name: ClassVar[str] = "visual-prompt"
    needs_crops: ClassVar[bool] = True

    epochs: int = 8
    batch: int = 64
    lr: float = 1e-2
    width: int | None = None
    place: str = "frame"

    def check(self, teacher: Teacher, vocabulary: Vocabulary) -> None:
        """Check that the prompt fits the images, see ``AdaptMethod``."""
        super().check(teacher, vocabulary)
        teacher.image_tower()  # some have none
        self._start(teacher.image_size)

    def learn(self, data: AdaptData, report: Callable[[str], None] = print) -> Adaptation:
        """Learn the prompt, see ``AdaptMethod``."""
        self.check(data.teacher, data.vocabulary)
        teacher = data.teacher
        adapter = self._start(teacher.image_size).to(teacher.device)
        embed = CropEmbedder(data, teacher.image_tower(), self.seed)
        labels = data.base_labels(data.train).to(teacher.device)
        texts = data.base_texts.to(teacher.device)

        def loss_of(rows: Tensor) -> Tensor:
            images = embed(rows, adapter.adapt_pixels)
            return name_loss(images, texts, labels[rows], teacher.temperature)

        fit(adapter.parameters(), loss_of, len(data.train), self, report)
        return adapted_by(adapter, data, self.name)

    def _start(self, image_size: int) -> VisualPrompt:
        try:
            return VisualPrompt(image_size, prompt_width(self.width, image_size), self.place)
        except ValueError as error:
            raise UserError(f"visual prompt: {error}") from error


def prompt_width(width: int | None, image_size: int) -> int:
    """Return the width of a prompt in pixels, the paper's share of the image for None."""
    return max(1, round(USUAL_WIDTH * image_size)) if width is None else width
