"""A mark in the weights of a detector that says which teacher's embedding space it uses."""

from __future__ import annotations

import json
from typing import Any

import torch
from torch import Tensor, nn

from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.core.vocabulary_header import BUILD

MARK = "teacher_mark.text"  # its name in the weights of a detector; not in every checkpoint


class TeacherMark(nn.Module):
    """Refuses vocabularies of another teacher, whose embeddings may well have the same width.

    The mark is saved with the weights, as the bytes of a text. A detector has the mark of its first
    vocabulary, and weights that are loaded into it, also at the start of a training, must have the
    same. Weights without a mark (of a network without class names, or written before there were
    marks) fit every detector. To start the detector of another teacher from weights, remove
    'teacher_mark.text' from them.

    Args:
        teacher: the teacher of the first vocabulary.
    """

    text: Tensor

    def __init__(self, teacher: TeacherId) -> None:
        super().__init__()
        text = json.dumps(teacher).encode()
        self.register_buffer("text", torch.tensor(list(text), dtype=torch.uint8))

    @property
    def teacher(self) -> TeacherId:
        """The teacher whose embedding space the detector's embeddings are in."""
        return _read(self.text)

    def check(self, teacher: TeacherId) -> None:
        """Raise UserError if a vocabulary is of another teacher than the detector."""
        _check(self.teacher, teacher)

    def _load_from_state_dict(
        self, state_dict: dict[str, Tensor], prefix: str, *others: Any
    ) -> None:
        """Load the mark as torch loads a buffer, but it may be missing or of another length.

        Raises:
            UserError: the mark is of another teacher.
        """
        mark = state_dict.get(f"{prefix}text")
        if mark is not None:
            _check(_read(mark), self.teacher)
            self.text = mark.to(self.text.device, copy=True)


def _read(mark: Tensor) -> TeacherId:
    """Return the teacher that a mark names."""
    return TeacherId(*json.loads(bytes(mark.tolist())))


def _check(trained: TeacherId, given: TeacherId) -> None:
    """Raise UserError unless the teachers of the detector and of the vocabulary are the same."""
    if not trained.is_same(given):
        raise UserError(
            f"the detector was trained with teacher {trained}; the vocabulary is of teacher "
            f"{given}. Its text embeddings mean nothing to this detector: encode the class names "
            f"with the detector's own teacher,\n  {BUILD}"
        )
