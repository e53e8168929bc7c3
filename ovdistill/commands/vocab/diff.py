"""Say in what two vocabulary files differ. No teacher is loaded.

The exit code is that of `diff`: 0 for equal files, 1 for different ones. Embeddings count as equal
where their cosine is 1 within 1e-5, which another computer's rounding does not exceed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ovdistill.commands.options import CommonOptions, argument, option
from ovdistill.commands.printing import print_lines
from ovdistill.core.vocabulary_header import (
    VocabularyHeader,
    open_vocabulary_file,
    parse_header,
)

EQUAL = 1e-5
OPTIONAL = ("frequency", "synonyms", "counts")


@dataclass(frozen=True, kw_only=True)
class DiffOptions(CommonOptions):
    """Options of ``ovdistill vocab diff``."""

    a: str = argument("vocabulary file")
    b: str = argument("vocabulary file")
    limit: int = option(10, help="names of a kind, 0 for all (default: %(default)s)")


def diff(options: DiffOptions) -> int:
    """Print the differences.

    Returns:
        0 for equal files, 1 for different ones.

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
    """A line for each difference of provenance."""
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
    """Lines for names that only one has, that moved among those of both, and whose words differ."""
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
    """What a header says of one name."""
    split = "base" if header.is_base[row] else "novel"
    return {"split": split, **{key: getattr(header, key)[row] for key in keys}}


def embeddings_differ(
    a: VocabularyHeader,
    left: np.ndarray,
    b: VocabularyHeader,
    right: np.ndarray,
    limit: int | None,
) -> list[str]:
    """Lines for the cosines between both embeddings of the names that both have.

    Args:
        a, b: the headers.
        left, right: (W, D) float32, unit norm, W and D of their own.
        limit: names listed.
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
    return [
        f"cosine of both embeddings of {len(names)} names: median {np.median(cosine):.4f}",
        *_listed("lowest", lowest, limit),
    ]


def _listed(title: str, values: Sequence[str], limit: int | None) -> list[str]:
    """ "title (how many)" and the first of the values, a line each; nothing for no values."""
    if not values:
        return []
    lines = [f"{title} ({len(values)}):", *(f"  {value}" for value in values[:limit])]
    return lines if limit is None or len(values) <= limit else [*lines, "  ..."]
