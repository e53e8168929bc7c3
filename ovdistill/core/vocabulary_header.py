"""Read what vocabulary files hold beside the embeddings, without importing torch.

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
    """Content of a vocabulary file except its embeddings.

    Attributes:
        names: W class names, in the order of category ids.
        is_base: W values; True = base, False = novel.
        embed_dim: D, the width of the text embeddings.
        teacher: the teacher that made them.
        templates: prompt templates over which they are averaged; () = unknown.
        synonyms_averaged: a class's embedding is the mean over the prompts of all its synonyms.
        frequency: W letters, 'f', 'c' or 'r' as in LVIS; or None.
        synonyms: the synonyms of each of the W names; or None.
        counts: number of training images that show each of the W classes; or None.
        has_tokens: the file holds embeddings of the names' tokens too.
        name_position: where the class name stands in the learned prompts that the file holds
            ('front', 'middle' or 'end'); "" = it holds none.
        format: format of the file.
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
    """Read the header of a vocabulary file, and none of its embeddings.

    Raises:
        UserError: see ``open_vocabulary_file``.
    """
    with open_vocabulary_file(path, "np") as file:
        return parse_header(file)


@contextmanager
def open_vocabulary_file(
    path: str | os.PathLike[str], framework: Literal["np", "pt"]
) -> Iterator[safe_open]:
    """Open a vocabulary file.

    Args:
        path: the file.
        framework: what its tensors are read as: 'np' numpy arrays, 'pt' torch tensors.

    Yields:
        The open file; its tensors are 'embeddings' (W, D), 'is_base' (W,), and, where the
        vocabulary has them, 'token_embeddings' and 'contexts'.

    Raises:
        UserError: no such file, not a vocabulary, or damaged, which may show in the block only.
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
    """Return the header of an open vocabulary file."""
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
        has_tokens="token_embeddings" in file.keys(),
        name_position=text.get("place", ""),
        format=text["format"],
    )


def _values(text: dict[str, str], key: str) -> tuple[Any, ...] | None:
    """Return one value per name, or None; files of earlier versions lack some keys."""
    values = json.loads(text.get(key, "null"))
    return None if values is None else tuple(values)
