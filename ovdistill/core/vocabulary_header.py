"""Read what vocabulary files hold beside the embeddings, without importing torch.

A program that only needs names and provenance (a web page, a labelling tool, `ovdistill vocab
show`) imports this module, which needs safetensors and numpy.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from safetensors import SafetensorError, safe_open

from ovdistill.core.checksums import verify_tensors
from ovdistill.core.class_names import Spelling
from ovdistill.core.errors import UserError
from ovdistill.core.header_values import COUNT, FLAG, TEXT, Kind, expect, list_of, optional
from ovdistill.core.json_files import loads
from ovdistill.core.teacher_id import TeacherId

FORMAT = "ovdistill-vocabulary-1"
BUILD = "ovdistill vocab build --names NAMES --teacher MODEL:PRETRAINED -o FILE"
AGAIN = f"Make it again with:\n  {BUILD}"
TEXTS = list_of(TEXT)
# entries of the metadata, each a JSON text; files of earlier versions lack those with a default
ENTRIES: dict[str, tuple[Kind, str | None]] = {
    "names": (TEXTS, None),
    "templates": (TEXTS, None),
    "synonyms_averaged": (FLAG, "false"),
    "frequency": (optional(TEXTS), "null"),
    "synonyms": (optional(list_of(TEXTS)), "null"),
    "counts": (optional(list_of(COUNT)), "null"),
    "context_names": (TEXTS, "[]"),
    "origin": (Kind("texts", lambda v: isinstance(v, dict) and TEXTS.fits([*v.values()])), "{}"),
}
POSITIONS = ("", "front", "middle", "end")
SPELLINGS: tuple[Spelling, ...] = ("plain", "words")


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
        spelling: how class names stand in the learned prompts: 'plain' or 'words', see
            ``class_names.spell_name``.
        origin: what `ovdistill prepare` made it from, see ``Vocabulary``; {} = it did not.
        context_names: names that have learned contexts of their own; () = none has.
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
    spelling: Spelling = "plain"
    origin: Mapping[str, str] = field(default_factory=dict)
    context_names: tuple[str, ...] = ()

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
            verify_tensors(path, AGAIN)
            yield file
    except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
        raise UserError(f"vocabulary file {name} is damaged ({error}). {AGAIN}") from error
    except UserError as error:  # of what the block makes of the content
        known = os.fspath(path) in str(error)
        raise UserError(str(error) if known else f"vocabulary file {name}: {error}") from error


def parse_header(file: safe_open) -> VocabularyHeader:
    """Return the header of an open vocabulary file.

    Raises:
        ValueError: the header is damaged; ``open_vocabulary_file`` makes it a ``UserError``.
    """
    text = file.metadata()
    values = {key: _value(text, key) for key in ENTRIES}
    tensors = {*file.keys()}
    if missing := {"embeddings", "is_base"} - tensors:
        raise ValueError(f"it has no {', '.join(sorted(missing))}")
    count = len(values["names"])
    embed_dim = _check_tensor(file, "embeddings", "F32", (count, None))[1]
    _check_tensor(file, "is_base", "BOOL", (count,))
    if "token_embeddings" in tensors:
        _check_tensor(file, "token_embeddings", "F32", (None, embed_dim))
    for key in ("frequency", "synonyms", "counts"):
        if values[key] is not None and len(values[key]) != count:
            raise ValueError(f"it has {len(values[key])} {key} for {count} names")
    position = text.get("place", "")
    if position not in POSITIONS:
        raise ValueError(f"'place' is {position!r:.60}; expected one of: {', '.join(POSITIONS)}")
    spelling = _spelling(text.get("spelling", "plain"))
    if position:
        shape = _check_tensor(file, "contexts", "F32", (None, None, None))
        if owners := values["context_names"]:
            own = (shape[0], len(owners), *shape[1:])
            _check_tensor(file, "class_contexts", "F32", own)
    synonyms = values["synonyms"]
    return VocabularyHeader(
        names=tuple(values["names"]),
        is_base=tuple(file.get_tensor("is_base").tolist()),
        embed_dim=embed_dim,
        teacher=TeacherId.from_header(text),
        templates=tuple(values["templates"]),
        synonyms_averaged=values["synonyms_averaged"],
        frequency=_as_tuple(values["frequency"]),
        synonyms=synonyms and tuple(tuple(own) for own in synonyms),
        counts=_as_tuple(values["counts"]),
        has_tokens="token_embeddings" in tensors,
        name_position=position,
        format=text["format"],
        spelling=spelling,
        origin=values["origin"],
        context_names=tuple(values["context_names"]),
    )


def _spelling(text: str) -> Spelling:
    for spelling in SPELLINGS:
        if text == spelling:
            return spelling
    raise ValueError(f"'spelling' is {text!r:.60}; expected one of: {', '.join(SPELLINGS)}")


def _value(text: dict[str, str], key: str) -> Any:
    """Return the value of an entry, of the kind that it must have."""
    kind, default = ENTRIES[key]
    content = text.get(key, default)
    if content is None:
        raise ValueError(f"it has no {key!r}")
    return expect({key: loads(content, f"entry {key!r}")}, key, kind)


def _check_tensor(
    file: safe_open, name: str, dtype: str, shape: tuple[int | None, ...]
) -> list[int]:
    """Return the shape of a tensor; None in ``shape`` is any size but 0.

    Raises:
        ValueError: the tensor has another shape or type.
    """
    part = file.get_slice(name)
    got = part.get_shape()
    fits = len(got) == len(shape) and all(
        size == own if size is not None else own > 0 for size, own in zip(shape, got, strict=True)
    )
    if not fits or part.get_dtype() != dtype:
        raise ValueError(
            f"{name} is {part.get_dtype()} {got}; expected {dtype} with the sizes "
            f"{[size or 'any' for size in shape]}"
        )
    return got


def _as_tuple(values: list[Any] | None) -> tuple[Any, ...] | None:
    return None if values is None else tuple(values)
