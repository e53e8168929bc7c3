"""The classes that a detector knows: their names and text embeddings, kept together.

Shapes: W class names, T tokens, D embedding width.
"""

from __future__ import annotations

import json
import os
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from ovdistill.core.class_names import clean_name
from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.core.tensor_files import write_tensor_file
from ovdistill.core.vocabulary_header import FORMAT, open_vocabulary_file, parse_header
from ovdistill.teacher import Teacher
from ovdistill.vocabulary.learned_prompts import LearnedPrompts, load_learned_prompts
from ovdistill.vocabulary.names import Names, check_names
from ovdistill.vocabulary.published_embeddings import embeddings_from_array, read_array
from ovdistill.vocabulary.text_embeddings import encode_phrases, names_with_synonyms
from ovdistill.vocabulary.tokens import all_tokens, positive_map

UNIT_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """W class names with text embeddings; a detector's classes, replaceable after training.

    Attributes:
        names: W different class names, in the order of category ids.
        embeddings: (W, D) float32, unit norm, on the CPU.
        is_base: (W,) bool; True = base, False = novel.
        teacher: the teacher that made the embeddings; a str is its name.
        templates: the prompts that were averaged; () = unknown.
        frequency: "f", "c" or "r" of each name, or None.
        synonyms: synonyms of each name, or None.
        counts: number of training images with each class, or None.
        token_embeddings: (T, D) float32, unit norm, of ``tokens``; None if they were not asked for.
        synonyms_averaged: a name's embedding is the mean over the prompts of all its synonyms.
        learned: the learned prompts that were used in place of templates (``templates`` then holds
            their description), or None.
        origin: digests of what `ovdistill prepare` made the file from, by kind (names, split, ...),
            by which a later run sees that these have changed; {} = it did not.

    Raises:
        UserError: the parts do not fit each other, or embeddings are not finite and of unit norm.
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
    origin: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if isinstance(self.teacher, str):
            object.__setattr__(self, "teacher", TeacherId(self.teacher))
        check_names(self.names, "a vocabulary")
        count = len(self.names)
        _check_shape(self.embeddings, "names")
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
            _check_shape(self.token_embeddings, "tokens")
            if self.token_embeddings.shape != (len(self.tokens), self.embed_dim):
                raise UserError(
                    f"token embeddings {tuple(self.token_embeddings.shape)} for "
                    f"{len(self.tokens)} tokens; expected ({len(self.tokens)}, {self.embed_dim})"
                )
            _check_norms(self.token_embeddings, self.tokens)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def embed_dim(self) -> int:
        """The width of the embeddings, D."""
        return self.embeddings.shape[1]

    @property
    def prompts(self) -> tuple[str, ...] | LearnedPrompts:
        """The prompts that further class names need to go with these; () = unknown."""
        return self.templates if self.learned is None else self.learned

    @property
    def tokens(self) -> tuple[str, ...]:
        """The T different tokens of all names; see ``vocabulary.tokens``."""
        return all_tokens(self.names)

    @property
    def positive_map(self) -> Tensor:
        """The tokens of each name, as a (W, T) bool mask."""
        return positive_map(self.names, self.tokens)

    def check_embed_dim(self, embed_dim: int) -> None:
        """Raise UserError unless D is ``embed_dim``, the width of a detector's embeddings."""
        if self.embed_dim != embed_dim:
            raise UserError(
                f"got a vocabulary of width {self.embed_dim} (teacher {self.teacher}); this "
                f"detector's embeddings have width {embed_dim}. Encode the class names with the "
                "teacher that the detector was trained with."
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
        """Encode class names with a teacher; see ``encode_phrases``.

        Args:
            names: W class names.
            teacher: embeds the prompts.
            prompts: templates such as ``TEMPLATES["vild63"]``, or prompts that were learned with
                this teacher.
            is_base: (W,) bool; None = all base.
            tokens: encode the names' tokens too, for a head that aligns regions with them.
            synonyms: average over the prompts of a name and all its synonyms.
            show_progress: show a progress bar (on a terminal).

        Raises:
            UserError: no names or prompts, an empty or repeated name, a bad template, names
                without synonyms where these are asked for, prompts of another teacher.
        """
        names = names if isinstance(names, Names) else Names(tuple(names))
        check_names(names.names, "the names to encode")
        if not prompts:
            raise UserError("no prompt templates; expected e.g. TEMPLATES['single']")
        phrases = names_with_synonyms(names) if synonyms else [[name] for name in names.names]
        token_phrases = [[token] for token in all_tokens(names.names)]
        learned = prompts if isinstance(prompts, LearnedPrompts) else None
        return cls(
            names=names.names,
            embeddings=encode_phrases(phrases, teacher, prompts, show_progress=show_progress),
            is_base=_all_base(names) if is_base is None else is_base,
            teacher=teacher.id,
            templates=(
                (prompts.description,) if isinstance(prompts, LearnedPrompts) else tuple(prompts)
            ),
            frequency=names.frequency,
            synonyms=names.synonyms,
            counts=names.counts,
            token_embeddings=(
                encode_phrases(token_phrases, teacher, prompts, show_progress=show_progress)
                if tokens
                else None
            ),
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
        *,
        transposed: bool = False,
    ) -> Vocabulary:
        """Build a vocabulary from embeddings made elsewhere, which are brought to unit norm.

        Args:
            source: an array of floats, see ``embeddings_from_array``, or a .npy file with one.
            names: the W class names, in the order of the embeddings.
            teacher: the model that made them; a str is its name.
            is_base: (W,) bool; None = all base.
            templates: the prompts, as far as they are known.
            transposed: the array is (D, W), which a square one does not show.

        Raises:
            UserError: see ``read_array`` and ``embeddings_from_array``.
        """
        array = source if isinstance(source, np.ndarray) else read_array(source)
        names = names if isinstance(names, Names) else Names(tuple(names))
        return cls(
            names=names.names,
            embeddings=embeddings_from_array(array, names.names, transposed=transposed),
            is_base=_all_base(names) if is_base is None else is_base,
            teacher=TeacherId(teacher) if isinstance(teacher, str) else teacher,
            templates=tuple(templates),
            frequency=names.frequency,
            synonyms=names.synonyms,
            counts=names.counts,
        )

    def only(self, kept: Container[str]) -> Vocabulary:
        """Return the classes whose names are in ``kept``, in the same order, without tokens."""
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
            origin={},
        )

    def followed_by(self, other: Vocabulary) -> Vocabulary:
        """Return these classes, and behind them those of another vocabulary that are new.

        A class is known by its ``clean_name``: "Green_star" is not new behind "green star".
        It has embeddings of tokens if both have them, and no frequencies, synonyms and counts.

        Raises:
            UserError: another width or another teacher.
        """
        other.check_embed_dim(self.embed_dim)
        if not self.teacher.is_same(other.teacher):
            raise UserError(
                f"got vocabularies of teachers {self.teacher} and {other.teacher}; expected one"
            )
        own = {clean_name(name) for name in self.names}
        added = [row for row, name in enumerate(other.names) if clean_name(name) not in own]
        names = (*self.names, *(other.names[row] for row in added))
        tokens = None
        if self.token_embeddings is not None and other.token_embeddings is not None:
            known = dict(zip(other.tokens, other.token_embeddings, strict=True))
            known |= dict(zip(self.tokens, self.token_embeddings, strict=True))
            tokens = torch.stack([known[token] for token in all_tokens(names)])
        return Vocabulary(
            names=names,
            embeddings=torch.cat([self.embeddings, other.embeddings[added]]),
            is_base=torch.cat([self.is_base, other.is_base[added]]),
            teacher=self.teacher,
            templates=self.templates,
            token_embeddings=tokens,
            learned=self.learned,
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write one .safetensors file, complete or not at all.

        ``ovdistill.core.vocabulary_header`` reads it without torch.
        """
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
        if self.origin:
            header["origin"] = json.dumps(dict(self.origin))
        tensors = {"embeddings": self.embeddings.contiguous(), "is_base": self.is_base.contiguous()}
        if self.token_embeddings is not None:
            tensors["token_embeddings"] = self.token_embeddings.contiguous()
        if self.learned is not None:
            header["place"] = self.learned.name_position
            header["spelling"] = self.learned.spelling
            tensors["contexts"] = self.learned.contexts.contiguous()
            if (own := self.learned.own) is not None:
                header["context_names"] = json.dumps(own.names)
                tensors["class_contexts"] = own.contexts.contiguous()
        write_tensor_file(path, tensors, header)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Vocabulary:
        """Load a vocabulary that ``save`` wrote.

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
                learned=load_learned_prompts(file, header),
                origin=header.origin,
            )


def _check_shape(embeddings: Tensor, rows: str) -> None:
    if embeddings.ndim != 2 or embeddings.dtype != torch.float32:
        raise UserError(
            f"embeddings {tuple(embeddings.shape)} {embeddings.dtype}; "
            f"expected ({rows}, embed_dim) float32"
        )


def _check_norms(embeddings: Tensor, names: Sequence[str]) -> None:
    norms = embeddings.norm(dim=1)
    wrong = ~((norms - 1).abs() < UNIT_TOLERANCE)  # also true for NaN
    if wrong.any():
        index = int(wrong.nonzero()[0])
        raise UserError(
            f"the embedding of {names[index]!r} has norm {norms[index].item():.4g}; "
            "expected unit norm (Vocabulary.from_array brings embeddings to it)"
        )


def _all_base(names: Names) -> Tensor:
    return torch.ones(len(names), dtype=torch.bool)
