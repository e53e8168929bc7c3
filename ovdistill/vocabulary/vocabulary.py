"""The words a detector knows: names and their teacher embeddings, kept together.

Shapes: W words, D embedding width.
"""

from __future__ import annotations

import json
import os
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.core.files import write_bytes
from ovdistill.core.teacher_id import TeacherId
from ovdistill.core.vocabulary_header import FORMAT, open_vocabulary_file, parse_header
from ovdistill.teacher import Teacher
from ovdistill.vocabulary.embed import embed_phrases, names_with_synonyms
from ovdistill.vocabulary.learned_prompts import LearnedPrompts, learned_prompts
from ovdistill.vocabulary.names import Names, check_names
from ovdistill.vocabulary.published_embeddings import read_array, unit_rows
from ovdistill.vocabulary.tokens import all_tokens, positive_map

UNIT_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """W category names with embeddings; a detector's classes, replaceable after training.

    Attributes:
        names: W different names, in the order of category ids.
        embeddings: (W, D) float32, unit norm, on the CPU.
        is_base: (W,) bool; True = base, False = novel.
        teacher: the teacher that made the embeddings.
        templates: the prompts that were averaged; () = unknown.
        learned: the learned prompts in place of templates, which ``templates`` describes; or None.
        synonyms_averaged: a name's embedding is the mean over the prompts of all its synonyms.
        frequency: "f", "c" or "r" of each name, or None.
        synonyms: synonyms of each name, or None.
        counts: training images with each name, or None.
        token_embeddings: (T, D) float32, unit norm, of ``tokens``; None where nobody asked.

    Raises:
        UserError: the parts do not fit each other, or embeddings with NaN or not of unit norm.
    """

    names: tuple[str, ...]
    embeddings: Tensor
    is_base: Tensor
    teacher: TeacherId
    templates: tuple[str, ...] = ()
    frequency: tuple[str, ...] | None = None
    synonyms: tuple[tuple[str, ...], ...] | None = None
    counts: tuple[int, ...] | None = None
    token_embeddings: Tensor | None = None
    synonyms_averaged: bool = False
    learned: LearnedPrompts | None = None

    def __post_init__(self) -> None:
        check_names(self.names, "a vocabulary")
        count = len(self.names)
        _check_form(self.embeddings, "names")
        sizes = {
            "embeddings": len(self.embeddings),
            "is_base": len(self.is_base),
            "frequency": count if self.frequency is None else len(self.frequency),
            "synonyms": count if self.synonyms is None else len(self.synonyms),
            "counts": count if self.counts is None else len(self.counts),
        }
        for what, size in sizes.items():
            if size != count:
                raise UserError(f"{size} {what} for {count} names; expected one for each name")
        if self.is_base.dtype != torch.bool:
            raise UserError(f"is_base is {self.is_base.dtype}; expected bool")
        _check_norms(self.embeddings, self.names)
        if self.token_embeddings is not None:
            _check_form(self.token_embeddings, "tokens")
            if self.token_embeddings.shape != (len(self.tokens), self.embed_dim):
                raise UserError(
                    f"token embeddings {tuple(self.token_embeddings.shape)} for "
                    f"{len(self.tokens)} tokens of width {self.embed_dim}"
                )
            _check_norms(self.token_embeddings, self.tokens)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def embed_dim(self) -> int:
        """Width of the embeddings, D."""
        return self.embeddings.shape[1]

    @property
    def prompts(self) -> tuple[str, ...] | LearnedPrompts:
        """What other words are to be put into to go with these; () = unknown."""
        return self.templates if self.learned is None else self.learned

    @property
    def tokens(self) -> tuple[str, ...]:
        """The T different tokens of all names, see ``vocabulary.tokens``."""
        return all_tokens(self.names)

    @property
    def positive_map(self) -> Tensor:
        """(W, T) bool: which tokens each name has."""
        return positive_map(self.names, self.tokens)

    def check_width(self, embed_dim: int) -> None:
        """Raise UserError unless D is ``embed_dim``, the width of a detector's embeddings."""
        if self.embed_dim != embed_dim:
            raise UserError(
                f"got a vocabulary of width {self.embed_dim} (teacher {self.teacher}); this detector's "
                f"embeddings have width {embed_dim}. Encode the words with the teacher that the detector "
                "was trained with."
            )

    @classmethod
    def encode(
        cls,
        names: Names | Sequence[str],
        teacher: Teacher,
        prompts: Sequence[str] | LearnedPrompts,
        is_base: Tensor | None = None,
        *,
        tokens: bool = False,
        synonyms: bool = False,
        show_progress: bool = False,
    ) -> Vocabulary:
        """Embeds names with a teacher, see ``vocabulary.embed``.

        Args:
            names: W names.
            teacher: the teacher.
            prompts: e.g. ``TEMPLATES["vild63"]``, or learned with this teacher.
            is_base: (W,) bool; None = all base.
            tokens: embed the names' tokens too, for a head that aligns with them.
            synonyms: average over the prompts of a name and all its synonyms.
            show_progress: show a progress bar, where someone can see it.

        Raises:
            UserError: no names or prompts, an empty or repeated name, a bad template, names
                without synonyms where these are asked for, prompts of another teacher.
        """
        names = names if isinstance(names, Names) else Names(tuple(names))
        check_names(names.names, "the names to encode")
        if not prompts:
            raise UserError("no prompt templates; expected e.g. TEMPLATES['single']")
        phrases = names_with_synonyms(names) if synonyms else [[name] for name in names.names]
        words = [[token] for token in all_tokens(names.names)] if tokens else None
        learned = prompts if isinstance(prompts, LearnedPrompts) else None
        return cls(
            names=names.names,
            embeddings=embed_phrases(phrases, teacher, prompts, show_progress=show_progress),
            is_base=_all_base(names) if is_base is None else is_base,
            teacher=teacher.id,
            templates=(learned.description,) if learned else tuple(prompts),
            frequency=names.frequency,
            synonyms=names.synonyms,
            counts=names.counts,
            token_embeddings=embed_phrases(words, teacher, prompts, show_progress=show_progress)
            if words
            else None,
            synonyms_averaged=synonyms,
            learned=learned,
        )

    @classmethod
    def from_array(
        cls,
        source: str | os.PathLike[str] | np.ndarray,
        names: Names | Sequence[str],
        teacher: TeacherId | str = "unknown",
        is_base: Tensor | None = None,
        templates: Sequence[str] = (),
        transposed: bool = False,
    ) -> Vocabulary:
        """Takes embeddings made elsewhere, bringing them to unit norm.

        Args:
            source: an array of floats, see ``unit_rows``, or a .npy file with one.
            names: the W names, in the order of the embeddings.
            teacher: the model that made them; a text is its name.
            is_base: (W,) bool; None = all base.
            templates: the prompts, as far as known.
            transposed: a square array is (D, W).

        Raises:
            UserError: see ``read_array`` and ``unit_rows``.
        """
        array = source if isinstance(source, np.ndarray) else read_array(source)
        names = names if isinstance(names, Names) else Names(tuple(names))
        return cls(
            names=names.names,
            embeddings=unit_rows(array, names.names, transposed),
            is_base=_all_base(names) if is_base is None else is_base,
            teacher=TeacherId(teacher) if isinstance(teacher, str) else teacher,
            templates=tuple(templates),
            frequency=names.frequency,
            synonyms=names.synonyms,
            counts=names.counts,
        )

    def only(self, kept: Container[str]) -> Vocabulary:
        """Those of the words that are in ``kept``, in the same order, without tokens."""
        rows = [row for row, name in enumerate(self.names) if name in kept]
        parts = Names(self.names, self.frequency, self.synonyms, counts=self.counts).only(kept)
        return replace(
            self,
            names=parts.names,
            embeddings=self.embeddings[rows],
            is_base=self.is_base[rows],
            frequency=parts.frequency,
            synonyms=parts.synonyms,
            counts=parts.counts,
            token_embeddings=None,
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes one .safetensors file, at once; see ``ovdistill.core.vocabulary_header`` for readers."""
        header = {
            "format": FORMAT,
            "names": json.dumps(self.names),
            **self.teacher.to_header(),
            "templates": json.dumps(self.templates),
            "synonyms_averaged": json.dumps(self.synonyms_averaged),
            "frequency": json.dumps(self.frequency),
            "synonyms": json.dumps(self.synonyms),
            "counts": json.dumps(self.counts),
        }
        tensors = {"embeddings": self.embeddings.contiguous(), "is_base": self.is_base.contiguous()}
        if self.token_embeddings is not None:
            tensors["token_embeddings"] = self.token_embeddings.contiguous()
        if self.learned is not None:
            header["place"] = self.learned.name_position
            tensors["contexts"] = self.learned.contexts.contiguous()
        write_bytes(path, save(tensors, header))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Vocabulary:
        """Reads what ``save`` wrote.

        Raises:
            UserError: no such file, damaged, or not a vocabulary.
        """
        with open_vocabulary_file(path, "pt") as file:
            header = parse_header(file)
            return cls(
                names=header.names,
                embeddings=file.get_tensor("embeddings"),
                is_base=file.get_tensor("is_base"),
                teacher=header.teacher,
                templates=header.templates,
                frequency=header.frequency,
                synonyms=header.synonyms,
                counts=header.counts,
                token_embeddings=(
                    file.get_tensor("token_embeddings") if header.has_tokens else None
                ),
                synonyms_averaged=header.synonyms_averaged,
                learned=learned_prompts(file, header),
            )


def _check_form(embeddings: Tensor, rows: str) -> None:
    if embeddings.ndim != 2 or embeddings.dtype != torch.float32:
        raise UserError(
            f"embeddings {tuple(embeddings.shape)} {embeddings.dtype}; "
            f"expected ({rows}, width) float32"
        )


def _check_norms(embeddings: Tensor, names: Sequence[str]) -> None:
    norms = embeddings.norm(dim=1)
    wrong = ~((norms - 1).abs() < UNIT_TOLERANCE)  # also true for NaN
    if wrong.any():
        index = int(wrong.nonzero()[0])
        raise UserError(
            f"the embedding of {names[index]!r} has norm {norms[index].item():.4g}; "
            "expected unit norm (Vocabulary.from_array normalises)"
        )


def _all_base(names: Names) -> Tensor:
    return torch.ones(len(names), dtype=torch.bool)
