"""Mutations of text files: lines, separators, encodings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from .mutate_bytes import mutate_bytes
from .mutate_json import TEXTS

SEPARATORS = (",", ";", "\t", ":", " ", "|", "=", "\n", "\r\n", "- ", '"', "'", "#", "{", "[", "(")
ENCODINGS = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1", "cp1252")


def mutate_text(data: bytes, rng: Random, texts: Sequence[str] = ()) -> bytes:
    """Return a text in UTF-8 with one to three mutations, sometimes in another encoding.

    Args:
        data: the text.
        rng: chooses mutations and places.
        texts: further texts to insert, which one reader gives a meaning.
    """
    text = data.decode("utf-8", "replace")
    for _ in range(rng.choice((1, 1, 2, 3))):
        if rng.random() < 0.25:
            return mutate_bytes(text.encode("utf-8", "replace"), rng)
        text = rng.choice(MUTATIONS)(text, rng, texts)
    return text.encode(rng.choice(ENCODINGS), "replace")


def _insert(text: str, rng: Random, texts: Sequence[str]) -> str:
    place = rng.randrange(len(text) + 1)
    return text[:place] + rng.choice((*TEXTS, *texts)) + text[place:]


def _insert_line(text: str, rng: Random, texts: Sequence[str]) -> str:
    lines = text.split("\n")
    lines.insert(rng.randrange(len(lines) + 1), rng.choice((*TEXTS, *texts)))
    return "\n".join(lines)


def _drop_line(text: str, rng: Random, texts: Sequence[str]) -> str:
    lines = text.split("\n")
    del lines[rng.randrange(len(lines))]
    return "\n".join(lines)


def _repeat_line(text: str, rng: Random, texts: Sequence[str]) -> str:
    lines = text.split("\n")
    row = rng.randrange(len(lines))
    lines[row:row] = [lines[row]] * min(rng.choice((1, 2, 100)), 1 + (1 << 20) // (len(text) + 1))
    return "\n".join(lines)


def _swap_lines(text: str, rng: Random, texts: Sequence[str]) -> str:
    lines = text.split("\n")
    rng.shuffle(lines)
    return "\n".join(lines)


def _other_separator(text: str, rng: Random, texts: Sequence[str]) -> str:
    return text.replace(rng.choice(SEPARATORS), rng.choice(SEPARATORS))


def _insert_separator(text: str, rng: Random, texts: Sequence[str]) -> str:
    place = rng.randrange(len(text) + 1)
    return text[:place] + rng.choice(SEPARATORS) * rng.choice((1, 1, 2, 500)) + text[place:]


def _truncate(text: str, rng: Random, texts: Sequence[str]) -> str:
    return text[: rng.randrange(len(text) + 1)]


MUTATIONS: tuple[Callable[[str, Random, Sequence[str]], str], ...] = (
    *(_insert, _insert, _insert_line, _insert_line, _drop_line, _repeat_line),
    *(_swap_lines, _other_separator, _insert_separator, _truncate),
)
