"""Splits class names into tokens: "striped star" and "striped ring" share "striped".

A token here is a word of a class name, which the teacher embeds as a text of its own. CLIP's hidden
states at the positions of a text's tokens could not take its place: CLIP was trained to compare
only its pooled output with images.

Shapes: W class names, T tokens.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from ovdistill.core.class_names import clean_name

_TOKEN = re.compile(r"\w+(?:['’-]\w+)*")


def tokens_of(name: str) -> tuple[str, ...]:
    """Return the different tokens of a name; a name without letters is one token itself."""
    cleaned = clean_name(name)
    return tuple(dict.fromkeys(_TOKEN.findall(cleaned))) or (cleaned,)


def all_tokens(names: Iterable[str]) -> tuple[str, ...]:
    """Return the different tokens of all names, in the order in which they first occur."""
    return tuple(dict.fromkeys(token for name in names for token in tokens_of(name)))


def positive_map(names: Sequence[str], tokens: Sequence[str]) -> Tensor:
    """Return which tokens each class name has.

    Args:
        names: W class names.
        tokens: T tokens, among them those of every name; see ``all_tokens``.

    Returns:
        (W, T) bool.
    """
    column_of = {token: column for column, token in enumerate(tokens)}
    columns = [[column_of[token] for token in tokens_of(name)] for name in names]
    rows = torch.arange(len(names)).repeat_interleave(torch.tensor([len(c) for c in columns]))
    result = torch.zeros(len(names), len(tokens), dtype=torch.bool)
    result[rows, torch.tensor([column for own in columns for column in own])] = True
    return result
