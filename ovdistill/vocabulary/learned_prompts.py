"""Learned prompts that any name can be put into.

Shapes: n names, B contexts (one for each bin of IoU), M context vectors, D embedding width.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.core.vocabulary_header import VocabularyHeader, open_vocabulary_file, parse_header
from ovdistill.teacher import Teacher
from ovdistill.vocabulary.prompt_context import NamePosition, Prompts
from ovdistill.vocabulary.prompts import read_templates


@dataclass(frozen=True, eq=False)
class LearnedPrompts:
    """Contexts around a name; a vocabulary that was made with them keeps them in its file.

    Attributes:
        contexts: (B, M, width of the teacher's token embeddings) float32, on the CPU.
        name_position: of the name among the M vectors.
        teacher: through whose text tower they were learned.
        description: how they were learned, in words.
    """

    contexts: Tensor
    name_position: NamePosition
    teacher: TeacherId
    description: str

    def __len__(self) -> int:
        return len(self.contexts)

    def embed(self, names: Sequence[str], teacher: Teacher) -> Tensor:
        """The embeddings that each context gives each name.

        Args:
            names: n names or phrases, cleaned here.
            teacher: the one that they were learned with.

        Returns:
            (n, B, D) float32, unit norm, on the teacher's device.

        Raises:
            UserError: another teacher, or see ``Prompts``.
        """
        if not self.teacher.is_same(teacher.id):
            raise UserError(
                f"the prompts were learned with teacher {self.teacher}; got teacher "
                f"{teacher.id}. Expected the same: learn them with this one, "
                "ovdistill vocab learn"
            )
        tower = teacher.text_tower()
        prompts = Prompts(names, tower, self.contexts.shape[1], self.name_position)
        with torch.no_grad():
            parts = [prompts.encode(context) for context in self.contexts.to(tower.device)]
        return torch.stack(parts, dim=1)


def read_prompts(
    source: str | os.PathLike[str] | Sequence[str],
) -> tuple[str, ...] | LearnedPrompts:
    """Templates, or the learned prompts of a vocabulary file.

    Args:
        source: a .safetensors file that `ovdistill vocab learn` wrote, or that was made with it;
            else see ``read_templates``.

    Raises:
        UserError: a vocabulary file without learned prompts, or see ``read_templates``.
    """
    if not isinstance(source, (str, os.PathLike)) or Path(source).suffix != ".safetensors":
        return read_templates(source)
    with open_vocabulary_file(source, "pt") as file:
        learned = learned_prompts(file, parse_header(file))
    if learned is None:
        raise UserError(
            f"vocabulary file {os.fspath(source)!r} has no learned prompts; expected one that "
            "`ovdistill vocab learn` wrote, or templates: 'single', 'vild63' or a text file"
        )
    return learned


def learned_prompts(file: safe_open, header: VocabularyHeader) -> LearnedPrompts | None:
    """Those of an open vocabulary file; None where its words were made with templates."""
    if not header.name_position:
        return None
    return LearnedPrompts(
        file.get_tensor("contexts"), header.name_position, header.teacher, header.templates[0]
    )
