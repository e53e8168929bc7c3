"""Prompts that belong to an adapted teacher."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ovdistill.core.class_names import Spelling


@dataclass(frozen=True, eq=False)
class AdaptedPrompts:
    """Prompts that were learned together with an adapter, which class names then take.

    Attributes:
        contexts: (B, M, width of the teacher's token embeddings) float32, see ``LearnedPrompts``.
        name_position: where the name stands among the M vectors: 'front', 'middle' or 'end'.
        description: how they were learned, as a sentence for people.
        spelling: how class names stand in the prompts: 'plain' or 'words'.
    """

    contexts: Tensor
    name_position: str
    description: str
    spelling: Spelling = "words"
