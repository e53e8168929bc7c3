"""The words a detector knows: names and their teacher embeddings, kept together.

Shapes: W words, D embedding width.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor
from torch.nn.functional import normalize

from ovdistill.errors import UserError
from ovdistill.vocabulary.names import Names, check_names
from ovdistill.vocabulary.prompts import fill
from ovdistill.vocabulary.tokens import all_tokens, positive_map

if TYPE_CHECKING:
    from ovdistill.teacher import Teacher

FORMAT = "ovdistill-vocabulary-1"
UNIT_TOLERANCE = 1e-3
PROMPTS_A_CHUNK = 8192  # bounds the memory of many names x many templates


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """W category names with embeddings; a detector's classes, replaceable after training.

    Attributes:
        names: W different names, in the order of category ids.
        embeddings: (W, D) float32, unit norm, on the CPU.
        is_base: (W,) bool; True = base, False = novel.
        teacher: id of the teacher that made the embeddings, e.g. "ViT-B-32:openai".
        teacher_hash: hash of its weights; "" = unknown (imported embeddings).
        templates: the prompts that were averaged; () = unknown.
        frequency: "f", "c" or "r" of each name, or None.
        synonyms: synonyms of each name, or None.
        counts: training pictures with each name, or None.
        token_embeddings: (T, D) float32, unit norm, of ``tokens``; None where nobody asked.

    Raises:
        UserError: the parts do not fit each other, or embeddings with NaN or not of unit norm.
    """

    names: tuple[str, ...]
    embeddings: Tensor
    is_base: Tensor
    teacher: str
    teacher_hash: str = ""
    templates: tuple[str, ...] = ()
    frequency: tuple[str, ...] | None = None
    synonyms: tuple[tuple[str, ...], ...] | None = None
    counts: tuple[int, ...] | None = None
    token_embeddings: Tensor | None = None

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
            if self.token_embeddings.shape != (len(self.tokens), self.dim):
                raise UserError(
                    f"token embeddings {tuple(self.token_embeddings.shape)} for "
                    f"{len(self.tokens)} tokens of width {self.dim}"
                )
            _check_norms(self.token_embeddings, self.tokens)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def dim(self) -> int:
        """D."""
        return self.embeddings.shape[1]

    @property
    def tokens(self) -> tuple[str, ...]:
        """The T different tokens of all names, see ``vocabulary.tokens``."""
        return all_tokens(self.names)

    @property
    def positive_map(self) -> Tensor:
        """(W, T) bool: which tokens each name has."""
        return positive_map(self.names, self.tokens)

    def check_width(self, dim: int) -> None:
        """Raises UserError unless D is ``dim``, the width of a detector's embeddings."""
        if self.dim != dim:
            raise UserError(
                f"got a vocabulary of width {self.dim} (teacher {self.teacher}); this detector's "
                f"embeddings have width {dim}. Encode the words with the teacher that the detector "
                "was trained with."
            )

    @classmethod
    def encode(
        cls,
        names: Names | Sequence[str],
        teacher: Teacher,
        templates: Sequence[str],
        is_base: Tensor | None = None,
        tokens: bool = False,
    ) -> Vocabulary:
        """Embeds names with a teacher.

        Each prompt is embedded and brought to unit norm, a name's prompts are averaged, and the
        mean is brought to unit norm again (ViLD).

        Args:
            names: W names.
            teacher: the teacher.
            templates: e.g. ``TEMPLATES["vild63"]``.
            is_base: (W,) bool; None = all base.
            tokens: embed the names' tokens too, for a head that aligns with them.

        Raises:
            UserError: no names or templates, an empty or repeated name, a bad template.
        """
        names = names if isinstance(names, Names) else Names(tuple(names))
        check_names(names.names, "the names to encode")
        if not templates:
            raise UserError("no prompt templates; expected e.g. TEMPLATES['single']")
        return cls(
            names=names.names,
            embeddings=_embed(names.names, teacher, templates),
            is_base=_all_base(names) if is_base is None else is_base,
            teacher=teacher.id,
            teacher_hash=teacher.weights_hash,
            templates=tuple(templates),
            frequency=names.frequency,
            synonyms=names.synonyms,
            counts=names.counts,
            token_embeddings=(
                _embed(all_tokens(names.names), teacher, templates) if tokens else None
            ),
        )

    @classmethod
    def from_array(
        cls,
        source: str | os.PathLike[str] | np.ndarray,
        names: Names | Sequence[str],
        teacher: str = "unknown",
        is_base: Tensor | None = None,
    ) -> Vocabulary:
        """Takes embeddings made elsewhere, bringing them to unit norm.

        Args:
            source: (W, D) float16 or float32 array, or a .npy file with one (no pickle).
            names: the W names, in the order of the rows.
            teacher: id of the model that made them.
            is_base: (W,) bool; None = all base.

        Raises:
            UserError: not such a file or array; NaN or a zero vector; names that do not fit.
        """
        origin = "the array" if isinstance(source, np.ndarray) else repr(os.fspath(source))
        array = source
        if not isinstance(source, np.ndarray):
            try:
                array = np.load(source, allow_pickle=False)
            except (OSError, ValueError, EOFError) as error:
                raise UserError(
                    f"cannot read embeddings from {origin} ({error}); expected a .npy file with "
                    "a (names, width) float array"
                ) from error
        names = names if isinstance(names, Names) else Names(tuple(names))
        if not isinstance(array, np.ndarray) or array.ndim != 2 or array.dtype.kind != "f":
            got = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else type(array)
            raise UserError(f"{origin} is {got}; expected a (names, width) float array")
        if len(array) != len(names):
            raise UserError(
                f"{origin} has {len(array)} rows for {len(names)} names; expected a row each"
            )
        raw = torch.from_numpy(array.astype(np.float32))
        norms = raw.norm(dim=1)
        if not (torch.isfinite(norms) & (norms > 0)).all():
            row = int((~(torch.isfinite(norms) & (norms > 0))).nonzero()[0])
            raise UserError(
                f"row {row} ({names.names[row]!r}) of {origin} is zero or not finite; "
                "expected an embedding of every name"
            )
        return cls(
            names=names.names,
            embeddings=normalize(raw, dim=1),
            is_base=_all_base(names) if is_base is None else is_base,
            teacher=teacher,
            frequency=names.frequency,
            synonyms=names.synonyms,
            counts=names.counts,
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes one .safetensors file, at once; its metadata is readable without torch."""
        path = Path(path)
        header = {
            "format": FORMAT,
            "names": json.dumps(self.names),
            "teacher": self.teacher,
            "teacher_hash": self.teacher_hash,
            "templates": json.dumps(self.templates),
            "frequency": json.dumps(self.frequency),
            "synonyms": json.dumps(self.synonyms),
            "counts": json.dumps(self.counts),
        }
        tensors = {"embeddings": self.embeddings.contiguous(), "is_base": self.is_base.contiguous()}
        if self.token_embeddings is not None:
            tensors["token_embeddings"] = self.token_embeddings.contiguous()
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        temporary.write_bytes(save(tensors, header))
        os.replace(temporary, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Vocabulary:
        """Reads what ``save`` wrote.

        Raises:
            UserError: no such file, damaged, or not a vocabulary.
        """
        if not Path(path).is_file():
            raise UserError(
                f"no vocabulary file {os.fspath(path)!r}; make one with: ovdistill vocab"
            )
        try:
            with safe_open(path, framework="pt") as file:
                header = file.metadata() or {}
                if header.get("format") != FORMAT:
                    raise UserError(
                        f"{os.fspath(path)!r} is {header.get('format', 'no vocabulary')}; "
                        f"expected {FORMAT}; make one with: ovdistill vocab"
                    )
                synonyms = json.loads(header["synonyms"])
                frequency = json.loads(header["frequency"])
                counts = json.loads(header.get("counts", "null"))
                has_tokens = "token_embeddings" in file.keys()  # noqa: SIM118 - no mapping
                return cls(
                    names=tuple(json.loads(header["names"])),
                    embeddings=file.get_tensor("embeddings"),
                    is_base=file.get_tensor("is_base"),
                    teacher=header["teacher"],
                    teacher_hash=header["teacher_hash"],
                    templates=tuple(json.loads(header["templates"])),
                    frequency=None if frequency is None else tuple(frequency),
                    synonyms=None if synonyms is None else tuple(tuple(s) for s in synonyms),
                    counts=None if counts is None else tuple(counts),
                    token_embeddings=file.get_tensor("token_embeddings") if has_tokens else None,
                )
        except (SafetensorError, KeyError, json.JSONDecodeError) as error:
            raise UserError(
                f"vocabulary file {os.fspath(path)!r} is damaged ({error}); "
                "make it again with: ovdistill vocab"
            ) from error


def _embed(names: Sequence[str], teacher: Teacher, templates: Sequence[str]) -> Tensor:
    """(len(names), D) float32 on the CPU: the mean over templates, of unit norm."""
    per_chunk = max(1, PROMPTS_A_CHUNK // len(templates))
    means = []
    for start in range(0, len(names), per_chunk):
        chunk = names[start : start + per_chunk]
        prompts = [fill(template, name) for name in chunk for template in templates]
        embedded = teacher.encode_text(prompts).unflatten(0, (len(chunk), len(templates)))
        means.append(normalize(embedded.mean(dim=1), dim=-1).cpu())
    return torch.cat(means).clone()  # no longer an inference-mode tensor


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
