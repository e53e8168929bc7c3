"""List the differences of two vocabulary files. No teacher is loaded.

The exit code is 0 for equal files and 1 for different ones, as that of `diff`. Embeddings count as
equal if their cosine similarity is 1 within 1e-5, more than the rounding of another computer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ovdistill.commands.options import CommonOptions, argument, option
from ovdistill.commands.printing import print_lines
from ovdistill.core.vocabulary_header import (
    VocabularyHeader,
    open_vocabulary_file,
    parse_header,
)

if TYPE_CHECKING:
    import numpy as np

EQUAL = 1e-5
OPTIONAL = ("frequency", "synonyms", "counts")


@dataclass(frozen=True, kw_only=True)
class DiffOptions(CommonOptions):
    """Options of ``ovdistill vocab diff``."""

    a: str = argument("vocabulary file")
    b: str = argument("vocabulary file")
    limit: int = option(10, help="number of names to list for each difference, 0 for all", least=0)


def diff(options: DiffOptions) -> int:
    """Print the differences.

    Returns:
        The exit code: 0 for equal files, 1 for different ones.

    Raises:
        UserError: see ``open_vocabulary_file``.
    """
    (a, left), (b, right) = map(_read, (options.a, options.b))
    limit = options.limit or None
    found = [
        *headers_differ(a, b),
        *names_differ(a, b, limit),
        *embeddings_differ(a, left, b, right, limit),
    ]
    print_lines(found or [f"equal: {len(a)} names of teacher {a.teacher}"])
    return 1 if found else 0


def _read(path: str) -> tuple[VocabularyHeader, np.ndarray]:
    with open_vocabulary_file(path, "np") as file:
        return parse_header(file), file.get_tensor("embeddings")


def headers_differ(a: VocabularyHeader, b: VocabularyHeader) -> list[str]:
    """Return a line for each difference of provenance."""
    pairs = {
        "teacher": (a.teacher, b.teacher),
        "width": (a.embed_dim, b.embed_dim),
        "templates": (a.templates, b.templates),
        "synonyms averaged": (a.synonyms_averaged, b.synonyms_averaged),
        "tokens": (a.has_tokens, b.has_tokens),
        **{f"has {key}": (bool(getattr(a, key)), bool(getattr(b, key))) for key in OPTIONAL},
    }
    return [
        f"{key}: {_short(old)} -> {_short(new)}" for key, (old, new) in pairs.items() if old != new
    ]


def _short(value: object) -> str:
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return f"{len(value)} ({value[0]!r}, ...)" if value else "unknown"
    return str(value)


def names_differ(a: VocabularyHeader, b: VocabularyHeader, limit: int | None) -> list[str]:
    """Return lines on the names.

    They list the names that only one file has, those of both files that are in another order, and
    those whose split, frequency, synonyms or count differ.

    Args:
        a: header of the first file.
        b: header of the second file.
        limit: names listed for each, None for all.
    """
    in_a, in_b = dict.fromkeys(a.names), dict.fromkeys(b.names)
    shared_a = [name for name in a.names if name in in_b]
    shared_b = [name for name in b.names if name in in_a]
    both = [key for key in OPTIONAL if getattr(a, key) and getattr(b, key)]
    was, now = ({name: _said(h, row, both) for row, name in enumerate(h.names)} for h in (a, b))
    changes = [
        f"{name}: {key} {old} -> {now[name][key]}"
        for name in shared_a
        for key, old in was[name].items()
        if old != now[name][key]
    ]
    moved = [new for old, new in zip(shared_a, shared_b, strict=True) if old != new]
    return [
        *_listed("removed", [name for name in a.names if name not in in_b], limit),
        *_listed("added", [name for name in b.names if name not in in_a], limit),
        *_listed("in another order", moved, limit),
        *_listed("changed", changes, limit),
    ]


def _said(header: VocabularyHeader, row: int, keys: Sequence[str]) -> dict[str, object]:
    """Return what a header says of the name in a row."""
    split = "base" if header.is_base[row] else "novel"
    return {"split": split, **{key: getattr(header, key)[row] for key in keys}}


def embeddings_differ(
    a: VocabularyHeader,
    left: np.ndarray,
    b: VocabularyHeader,
    right: np.ndarray,
    limit: int | None,
) -> list[str]:
    """Return lines on the cosine similarities of the embeddings of names that both files have.

    Args:
        a: header of the first file.
        left: (W, D) its embeddings, float32 of norm 1.
        b: header of the second file.
        right: (W, D) its embeddings, where W and D may be others.
        limit: names listed, None for all.
    """
    row_of = {name: row for row, name in enumerate(b.names)}
    names = [name for name in a.names if name in row_of]
    if a.embed_dim != b.embed_dim or not names:
        return []
    rows = [row for row, name in enumerate(a.names) if name in row_of]
    cosine = (left[rows] * right[[row_of[name] for name in names]]).sum(axis=1)
    if (1 - cosine < EQUAL).all():
        return []
    differ = [row for row in cosine.argsort() if 1 - cosine[row] >= EQUAL]
    lowest = [f"{cosine[row]:.4f}  {names[row]}" for row in differ]
    import numpy as np

    return [
        f"cosine of both embeddings of {len(names)} names: median {np.median(cosine):.4f}",
        *_listed("lowest", lowest, limit),
    ]


def _listed(title: str, values: Sequence[str], limit: int | None) -> list[str]:
    """Return 'title (how many):' and the first values, a line each; nothing for no values."""
    if not values:
        return []
    lines = [f"{title} ({len(values)}):", *(f"  {value}" for value in values[:limit])]
    return lines if limit is None or len(values) <= limit else [*lines, "  ..."]
