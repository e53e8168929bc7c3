"""What one-stage and two-stage detectors share: a vocabulary in place of a class list."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from ovdistill.models.teacher_mark import TeacherMark
from ovdistill.vocabulary import Vocabulary


def load_vocabulary(vocabulary: Vocabulary | str | Path) -> Vocabulary:
    """Return a vocabulary as it is, or read it from its file.

    Raises:
        UserError: the file is missing or damaged.
    """
    return vocabulary if isinstance(vocabulary, Vocabulary) else Vocabulary.load(vocabulary)


class VocabularyMixin(nn.Module):
    """A detector whose class names can be replaced at any time.

    A subclass says which head has the names (``vocabulary_head``), and calls ``init_vocabulary`` at
    the end of its constructor.
    """

    vocabulary: Vocabulary
    teacher_mark: TeacherMark

    @property
    def vocabulary_head(self) -> nn.Module:
        """The head that takes a vocabulary with ``set_vocabulary`` and knows its ``embed_dim``."""
        raise TypeError(f"{type(self).__name__} must say which head has the class names")

    def init_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Set the first vocabulary, whose teacher is the detector's from then on."""
        self.teacher_mark = TeacherMark(vocabulary.teacher)
        self.set_vocabulary(vocabulary)

    def set_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Replace the class names; label ``i`` of a detection is then ``vocabulary.names[i]``.

        Raises:
            UserError: the vocabulary's width or teacher is not that of this detector's embeddings.
        """
        vocabulary.check_width(self.vocabulary_head.embed_dim)
        self.teacher_mark.check(vocabulary.teacher)
        self.vocabulary = vocabulary
        self.vocabulary_head.set_vocabulary(vocabulary)
