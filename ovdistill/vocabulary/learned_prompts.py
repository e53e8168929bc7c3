"""Learned prompts, into which any class name can be put.

Shapes: n names, B contexts (one for each bin of IoU), C classes that have contexts of their own, M
context vectors, D embedding width.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from ovdistill.core.class_names import Spelling, clean_name
from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.core.vocabulary_header import VocabularyHeader, open_vocabulary_file, parse_header
from ovdistill.teacher import Teacher
from ovdistill.vocabulary.prompt_context import ContextPrompts, NamePosition, check_name_position
from ovdistill.vocabulary.prompts import read_templates


@dataclass(frozen=True, eq=False)
class ClassContexts:
    """Contexts that belong to single class names (CoOp's class-specific contexts).

    Attributes:
        names: C class names.
        contexts: (B, C, M, width of the teacher's token embeddings) float32, on the CPU.
    """

    names: tuple[str, ...]
    contexts: Tensor

    def of(self, names: Sequence[str], others: Tensor) -> Tensor:
        """Return the contexts of names, (B, n, M, width). A class is known by its ``clean_name``.

        Args:
            names: n class names or phrases.
            others: (B, M, width), for names that have no contexts of their own.
        """
        rows = {clean_name(name): row for row, name in enumerate(self.names)}
        known = torch.cat([self.contexts, others[:, None]], dim=1)
        return known[:, [rows.get(clean_name(name), len(self.names)) for name in names]]


@dataclass(frozen=True, eq=False)
class LearnedPrompts:
    """Learned contexts around a class name; the vocabulary file made with them stores them.

    Attributes:
        contexts: (B, M, width of the teacher's token embeddings) float32, on the CPU.
        name_position: where the name stands among the M vectors: 'front', 'middle' or 'end'.
        teacher: the teacher through whose text tower they were learned.
        description: how they were learned, as a sentence for people.
        spelling: how class names stand in the prompts: 'plain' or 'words', see ``spell_name``.
        own: contexts of the base classes; ``contexts``, which all other names take, is then their
            mean. None: all names take ``contexts``.
    """

    contexts: Tensor
    name_position: NamePosition
    teacher: TeacherId
    description: str
    spelling: Spelling = "plain"
    own: ClassContexts | None = None

    def __len__(self) -> int:
        return len(self.contexts)

    def encode(self, names: Sequence[str], teacher: Teacher) -> Tensor:
        """Encode each name with each context.

        Args:
            names: n class names or phrases.
            teacher: the teacher with which the contexts were learned.

        Returns:
            (n, B, D) float32, unit norm, on the teacher's device.

        Raises:
            UserError: another teacher, or see ``ContextPrompts``.
        """
        if not self.teacher.is_same(teacher.id):
            raise UserError(
                f"the prompts were learned with teacher {self.teacher}; got teacher "
                f"{teacher.id}. Expected the same: learn them with this one, "
                "ovdistill vocab learn"
            )
        tower = teacher.text_tower()
        vectors = self.contexts.shape[1]
        prompts = ContextPrompts(names, tower, vectors, self.name_position, self.spelling)
        contexts = self.contexts if self.own is None else self.own.of(names, self.contexts)
        with torch.no_grad():
            parts = [prompts.encode(context) for context in contexts.to(tower.device)]
        return torch.stack(parts, dim=1)


def read_prompts(
    source: str | os.PathLike[str] | Sequence[str],
) -> tuple[str, ...] | LearnedPrompts:
    """Read templates, or the learned prompts of a vocabulary file.

    Args:
        source: a .safetensors file that `ovdistill vocab learn` wrote, or a vocabulary made with
            such a file; for everything else see ``read_templates``.

    Raises:
        UserError: a vocabulary file without learned prompts, or see ``read_templates``.
    """
    if not isinstance(source, (str, os.PathLike)) or Path(source).suffix != ".safetensors":
        return read_templates(source)
    with open_vocabulary_file(source, "pt") as file:
        learned = load_learned_prompts(file, parse_header(file))
    if learned is None:
        raise UserError(
            f"vocabulary file {os.fspath(source)!r} has no learned prompts; expected one that "
            "`ovdistill vocab learn` wrote, or templates: 'single', 'vild63' or a text file"
        )
    return learned


def prompts_for(
    teacher: Teacher, prompts: tuple[str, ...] | LearnedPrompts
) -> tuple[str, ...] | LearnedPrompts:
    """Return the prompts that a teacher was adapted together with, else those that are given."""
    own = teacher.prompts
    if own is None:
        return prompts
    return LearnedPrompts(
        own.contexts,
        check_name_position(own.name_position),
        teacher.id,
        own.description,
        own.spelling,
    )


def load_learned_prompts(file: safe_open, header: VocabularyHeader) -> LearnedPrompts | None:
    """Load the learned prompts of an open vocabulary file; None if it was made with templates.

    Raises:
        UserError: the file names a position that does not exist, or contexts that are not finite.
    """
    if not header.name_position:
        return None
    contexts = file.get_tensor("contexts")
    if not contexts.isfinite().all() or not header.templates:
        raise UserError("its learned prompts have NaN in them or no description")
    own = None
    if header.context_names:
        own = ClassContexts(header.context_names, file.get_tensor("class_contexts"))
        if not own.contexts.isfinite().all():
            raise UserError("its learned prompts have NaN in them")
    return LearnedPrompts(
        contexts,
        check_name_position(header.name_position),
        header.teacher,
        header.templates[0],
        header.spelling,
        own,
    )
