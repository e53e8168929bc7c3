"""Builds a small byte-pair vocabulary for open_clip's SimpleTokenizer.

With CLIP's 49,408 tokens, the token embeddings would be larger than the rest of a teacher of a few
million parameters. These merges make each given word one token. Any other text still works, letter
by letter.
"""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterable

BASE_TOKENS = 512  # 256 bytes, each of them inside and at the end of a word
SPECIAL_TOKENS = 2  # start and end of text
HEADER = "#version: ovshapes"  # SimpleTokenizer skips the first line


def learn_merges(words: Iterable[str]) -> list[tuple[str, str]]:
    """Learn byte-pair merges until every word is one token.

    Args:
        words: lower-case ASCII words.

    Returns:
        Pairs of tokens in the order in which the tokenizer applies them: the most frequent pair
        first, ties in alphabetical order. "</w>" marks the end of a word.
    """
    pieces = sorted({(*word[:-1], word[-1] + "</w>") for word in words})
    merges = []
    while counts := Counter(pair for word in pieces for pair in zip(word, word[1:], strict=False)):
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        merges.append(best)
        pieces = [_merge(word, best) for word in pieces]
    return merges


def _merge(word: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    merged: list[str] = []
    for piece in word:
        if merged and (merged[-1], piece) == pair:
            merged[-1] += piece
        else:
            merged.append(piece)
    return tuple(merged)


def merges_file(merges: list[tuple[str, str]]) -> bytes:
    """Return the content of bpe.txt.gz, the same bytes every time (without a time stamp)."""
    # no newline at the end, which the tokenizer would read as an empty merge
    lines = [HEADER, *(" ".join(pair) for pair in merges)]
    return gzip.compress("\n".join(lines).encode("utf-8"), compresslevel=9, mtime=0)


def vocabulary_size(merges: list[tuple[str, str]]) -> int:
    """Return the number of tokens that SimpleTokenizer makes of the merges."""
    return BASE_TOKENS + len(merges) + SPECIAL_TOKENS
