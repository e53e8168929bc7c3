"""Learns prompts of both towers at once, made by one small network.

Source: Zang et al., "Unified Vision and Language Prompt Learning" (UPT), arXiv 2210.07225.
Differences: the visual prompts are a frame around the image rather than tokens of a ViT, so that
towers of every kind take them; the context starts from a text, and the frame from zero; AdamW and
8 epochs in place of SGD and the 50 to 200 epochs of CoOp.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.core.seeds import drawn_by
from ovdistill.teacher import Teacher
from ovdistill.teacher.adapters.prompt_pixels import add_prompt, prompt_size
from ovdistill.teacher.adapters.upt import UnifiedPrompts
from ovdistill.teacher_training.adapt.data import (
    Adaptation,
    AdaptData,
    AdaptMethod,
    adapted_by,
)
from ovdistill.teacher_training.adapt.embed_crops import CropEmbedder
from ovdistill.teacher_training.adapt.fit import fit
from ovdistill.teacher_training.adapt.loss import name_loss
from ovdistill.teacher_training.adapt.upt.network import PromptNetwork
from ovdistill.teacher_training.adapt.visual_prompt.method import prompt_width
from ovdistill.vocabulary import Vocabulary
from ovdistill.vocabulary.prompt_context import ContextPrompts, context_from_text


@dataclass(frozen=True, kw_only=True)
class UnifiedPromptsMethod(AdaptMethod):
    """Settings of UPT.

    Attributes:
        init: text whose tokens are the context at first.
        visual: visual prompts, V.
        width: of the frame's sides, pixels; None for 30 of 224, as for visual prompts.
    """

    name: ClassVar[str] = "upt"
    needs_crops: ClassVar[bool] = True

    epochs: int = 8
    batch: int = 64
    lr: float = 2e-3
    init: str = "a photo of a"
    visual: int = 8
    width: int | None = None

    def check(self, teacher: Teacher, vocabulary: Vocabulary) -> None:
        """Check that the frame fits the images, and the context all names, see ``AdaptMethod``."""
        super().check(teacher, vocabulary)
        teacher.image_tower()  # some have none
        self._frame_size(teacher.image_size)
        text_tower = teacher.text_tower()
        start = context_from_text(self.init, text_tower)
        ContextPrompts(vocabulary.names, text_tower, len(start), spelling="words")

    def learn(self, data: AdaptData, report: Callable[[str], None] = print) -> Adaptation:
        """Learn the network, and keep what it makes, see ``AdaptMethod``."""
        self.check(data.teacher, data.vocabulary)
        teacher, text_tower = data.teacher, data.teacher.text_tower()
        start = context_from_text(self.init, text_tower)
        base = [data.vocabulary.names[row] for row in data.base_rows.tolist()]
        prompts = ContextPrompts(base, text_tower, len(start), spelling="words")
        width = prompt_width(self.width, teacher.image_size)
        network = self._network(start, self._frame_size(teacher.image_size))
        embed = CropEmbedder(data, teacher.image_tower(), self.seed)
        labels = data.base_labels(data.train).to(teacher.device)

        def loss_of(rows: Tensor) -> Tensor:
            context, values = network()
            images = embed(rows, partial(add_prompt, values=values, width=width, place="frame"))
            return name_loss(images, prompts.encode(context), labels[rows], teacher.temperature)

        fit(network.parameters(), loss_of, len(data.train), self, report)
        context, values = network()
        adapter = UnifiedPrompts.of_values(
            teacher.image_size, width, values.cpu(), context.cpu(), self.describe(data)
        )
        return adapted_by(adapter, data, self.name)

    def describe(self, data: AdaptData) -> str:
        """Return the sentence that a vocabulary has in place of its templates."""
        return (
            f"learned with a frame around the image (UPT): from {self.init!r}, {self.epochs} "
            f"epochs, lr {self.lr}, seed {self.seed}, {data.source}"
        )

    def _frame_size(self, image_size: int) -> int:
        """Return the number of pixels of the frame.

        Raises:
            UserError: it does not fit the image.
        """
        try:
            return prompt_size(image_size, prompt_width(self.width, image_size), "frame")
        except ValueError as error:
            raise UserError(f"UPT: {error}") from error

    def _network(self, start: Tensor, pixels: int) -> PromptNetwork:
        with drawn_by(self.seed):
            network = PromptNetwork(len(start), self.visual, start.shape[1], pixels, start)
        return network.to(start.device)
