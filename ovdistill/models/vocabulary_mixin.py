"""What one-stage and two-stage detectors share: a vocabulary in place of a list of classes."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from ovdistill.models.teacher_mark import TeacherMark
from ovdistill.vocabulary import Vocabulary


class VocabularyHead(Protocol):
    """The head of a detector that compares embeddings with those of the class names."""

    @property
    def embed_dim(self) -> int:
        """Width of the embeddings, D."""

    def set_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Replace the class names."""


def load_vocabulary(vocabulary: Vocabulary | str | Path) -> Vocabulary:
    """Return a vocabulary as it is, or load it from its file.

    Raises:
        UserError: the file is missing or damaged.
    """
    return vocabulary if isinstance(vocabulary, Vocabulary) else Vocabulary.load(vocabulary)


class VocabularyMixin:
    """Mixin for mmdet's detectors, whose class names can then be replaced at any time.

    A subclass returns the head with the class names as ``vocabulary_head``, and calls
    ``init_vocabulary`` at the end of its constructor.
    """

    vocabulary: Vocabulary
    teacher_mark: TeacherMark

    @property
    def vocabulary_head(self) -> VocabularyHead:
        """The head that has the class names."""
        raise TypeError(f"{type(self).__name__} must define vocabulary_head")

    def init_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Set the first vocabulary; every later one must be of the same teacher."""
        self.teacher_mark = TeacherMark(vocabulary.teacher)
        self.set_vocabulary(vocabulary)

    def set_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Replace the class names; label ``i`` of a detection is then ``vocabulary.names[i]``.

        Raises:
            UserError: the vocabulary's width or teacher is not that of this detector's embeddings.
        """
        vocabulary.check_embed_dim(self.vocabulary_head.embed_dim)
        self.teacher_mark.check(vocabulary.teacher)
        self.vocabulary = vocabulary
        self.vocabulary_head.set_vocabulary(vocabulary)
