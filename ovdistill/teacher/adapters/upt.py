"""Text and visual prompts that were learned together.

Source: Zang et al., "Unified Vision and Language Prompt Learning" (UPT), arXiv 2210.07225. The
network that makes both is needed while they are learned, and not afterwards:
``ovdistill.teacher_training.adapt.upt``.

Shapes: M text prompts, S side of the teacher's input, w width of the frame.
"""

from __future__ import annotations

from typing import Any, get_args

import torch
from torch import Tensor, nn

from ovdistill.core.class_names import Spelling
from ovdistill.teacher.adapted_prompts import AdaptedPrompts
from ovdistill.teacher.adapter import register_adapter
from ovdistill.teacher.adapters.visual_prompt import VisualPrompt


@register_adapter
class UnifiedPrompts(VisualPrompt):
    """A frame around the image, and the context of class names that belongs to it.

    Args:
        image_size: S.
        width: w, pixels.
        num_vectors: M.
        text_width: width of the teacher's token embeddings.
        name_position: where the name stands among the M vectors: 'front', 'middle' or 'end'.
        spelling: how names stand in the prompts, 'plain' or 'words'.
        description: how the prompts were learned, as a sentence for people.

    Attributes:
        contexts: (1, M, text_width) float32.

    Raises:
        ValueError: a width that does not fit, or an unknown spelling.
    """

    kind = "upt"

    def __init__(
        self,
        image_size: int,
        width: int,
        num_vectors: int,
        text_width: int,
        name_position: str = "end",
        spelling: Spelling = "words",
        description: str = "",
    ) -> None:
        super().__init__(image_size, width)
        if spelling not in get_args(Spelling):
            raise ValueError(f"spelling {spelling!r}; expected one of: {get_args(Spelling)}")
        self.name_position, self.spelling, self.description = name_position, spelling, description
        self.contexts = nn.Parameter(torch.zeros(1, int(num_vectors), int(text_width)))

    @classmethod
    def of_values(
        cls, image_size: int, width: int, values: Tensor, context: Tensor, description: str
    ) -> UnifiedPrompts:
        """Return the adapter of a frame (3, K) and a context (M, text width)."""
        num_vectors, text_width = context.shape
        adapter = cls(image_size, width, num_vectors, text_width, description=description)
        adapter.values.data.copy_(values.detach())
        adapter.contexts.data.copy_(context.detach()[None])
        return adapter

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments, see ``TeacherAdapter``."""
        _, num_vectors, text_width = self.contexts.shape
        return {
            "image_size": self.image_size,
            "width": self.width,
            "num_vectors": num_vectors,
            "text_width": text_width,
            "name_position": self.name_position,
            "spelling": self.spelling,
            "description": self.description,
        }

    @property
    def prompts(self) -> AdaptedPrompts:
        """The context of class names, see ``TeacherAdapter``."""
        return AdaptedPrompts(
            self.contexts.detach().cpu(), self.name_position, self.description, self.spelling
        )
