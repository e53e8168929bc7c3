"""Reading vocabulary files without torch: all that they hold beside the embeddings.

A program that only needs names and provenance (a web page, a labelling tool, `ovdistill vocab
show`) imports this module, which needs safetensors and numpy.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from safetensors import SafetensorError, safe_open

from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId

FORMAT = "ovdistill-vocabulary-1"
BUILD = "ovdistill vocab build --names NAMES --teacher MODEL:PRETRAINED -o FILE"


@dataclass(frozen=True)
class VocabularyHeader:
    """All of a vocabulary file but its embeddings; see ``Vocabulary`` for what is not said here.

    Attributes:
        names: W names, in the order of category ids.
        is_base: one for each name; False = novel.
        embed_dim: D, the width of the embeddings.
        teacher: who made them.
        templates: the prompts that were averaged; () = unknown.
        synonyms_averaged: a name's embedding is the mean over the prompts of all its synonyms.
        frequency, synonyms, counts: one for each name, or None.
        has_tokens: the tokens of the names are embedded too.
        name_position: of the name in the learned prompts that the file has ('contexts'); "" = it
            has none.
        format: of the file.
    """

    names: tuple[str, ...]
    is_base: tuple[bool, ...]
    embed_dim: int
    teacher: TeacherId
    templates: tuple[str, ...]
    synonyms_averaged: bool
    frequency: tuple[str, ...] | None
    synonyms: tuple[tuple[str, ...], ...] | None
    counts: tuple[int, ...] | None
    has_tokens: bool
    name_position: str
    format: str

    def __len__(self) -> int:
        return len(self.names)


def read_header(path: str | os.PathLike[str]) -> VocabularyHeader:
    """Reads a vocabulary file but for its embeddings.

    Raises:
        UserError: see ``open_vocabulary_file``.
    """
    with open_vocabulary_file(path, "np") as file:
        return parse_header(file)


@contextmanager
def open_vocabulary_file(
    path: str | os.PathLike[str], framework: Literal["np", "pt"]
) -> Iterator[safe_open]:
    """Opens a vocabulary file, whose tensors are 'embeddings' and others.

    Args:
        path: the file.
        framework: of the tensors, numpy or torch.

    Raises:
        UserError: no such file, damaged (also where that shows later), or not a vocabulary.
    """
    name = repr(os.fspath(path))
    if not Path(path).is_file():
        raise UserError(f"no vocabulary file {name}; make one with:\n  {BUILD}")
    try:
        with safe_open(path, framework=framework) as file:
            got = (file.metadata() or {}).get("format", "no vocabulary")
            if got != FORMAT:
                raise UserError(f"{name} is {got}; expected {FORMAT}; make one with:\n  {BUILD}")
            yield file
    except (SafetensorError, KeyError, json.JSONDecodeError) as error:
        raise UserError(
            f"vocabulary file {name} is damaged ({error}); make it again with:\n  {BUILD}"
        ) from error


def parse_header(file: safe_open) -> VocabularyHeader:
    """The header of an open vocabulary file."""
    text = file.metadata()
    synonyms = _values(text, "synonyms")
    return VocabularyHeader(
        names=tuple(json.loads(text["names"])),
        is_base=tuple(file.get_tensor("is_base").tolist()),
        embed_dim=file.get_slice("embeddings").get_shape()[1],
        teacher=TeacherId.from_header(text),
        templates=tuple(json.loads(text["templates"])),
        synonyms_averaged=json.loads(text.get("synonyms_averaged", "false")),
        frequency=_values(text, "frequency"),
        synonyms=synonyms and tuple(tuple(own) for own in synonyms),
        counts=_values(text, "counts"),
        has_tokens="token_embeddings" in file.keys(),  # noqa: SIM118 - no mapping
        name_position=text.get("place", ""),
        format=text["format"],
    )


def _values(text: dict[str, str], key: str) -> tuple[Any, ...] | None:
    """One value for each name, or None; files of before 'counts' and others lack the key."""
    values = json.loads(text.get(key, "null"))
    return None if values is None else tuple(values)
