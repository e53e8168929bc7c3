"""A detector's embeddings are in the space of one teacher, and its weights say of which."""

from __future__ import annotations

import json
from typing import Any

import torch
from torch import Tensor, nn

from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.core.vocabulary_header import BUILD


class TeacherMark(nn.Module):
    """Keeps words of another teacher away, whose widths may well be the same.

    The mark is saved with the weights, as the bytes of a text. A detector has that of its first
    vocabulary; weights that are loaded into it, at the start of a training too, must have the same.
    Weights without one (of a network without words, or written before there were marks) fit all.
    To start another teacher's detector from weights, take 'teacher_mark.text' out of them.

    Args:
        teacher: that of the vocabulary.
    """

    def __init__(self, teacher: TeacherId) -> None:
        super().__init__()
        text = json.dumps(teacher).encode()
        self.register_buffer("text", torch.tensor(list(text), dtype=torch.uint8))

    @property
    def teacher(self) -> TeacherId:
        """Whose space it is."""
        return _read(self.text)

    def check(self, teacher: TeacherId) -> None:
        """Raises UserError for a vocabulary of another teacher than the detector's."""
        _check(self.teacher, teacher)

    def _load_from_state_dict(
        self, state_dict: dict[str, Tensor], prefix: str, *others: Any
    ) -> None:
        """Torch's, for a tensor that may be missing and whose length is free."""
        mark = state_dict.get(f"{prefix}text")
        if mark is not None:
            _check(_read(mark), self.teacher)
            self.text = mark.to(self.text.device, copy=True)


def _read(mark: Tensor) -> TeacherId:
    return TeacherId(*json.loads(bytes(mark.tolist())))


def _check(trained: TeacherId, words: TeacherId) -> None:
    if not trained.is_same(words):
        raise UserError(
            f"the detector was trained with teacher {trained}; the vocabulary is of teacher "
            f"{words}. Its words mean nothing to this detector: encode them with the detector's "
            f"own teacher,\n  {BUILD}"
        )
