"""Names as sets of tokens: "striped star" and "striped ring" share "striped".

A token here is a word, which the teacher embeds as a text of its own. The hidden states that CLIP
has at the places of a text's tokens would not do: only its pooled output was ever compared with
images.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from ovdistill.vocabulary.prompts import clean_name

_TOKEN = re.compile(r"\w+(?:['’-]\w+)*")


def tokens_of(name: str) -> tuple[str, ...]:
    """The different tokens of a name; a name of punctuation alone is its own token."""
    cleaned = clean_name(name)
    return tuple(dict.fromkeys(_TOKEN.findall(cleaned))) or (cleaned,)


def all_tokens(names: Iterable[str]) -> tuple[str, ...]:
    """The different tokens of all names, in the order of their first name."""
    return tuple(dict.fromkeys(token for name in names for token in tokens_of(name)))


def positive_map(names: Sequence[str], tokens: Sequence[str]) -> Tensor:
    """(W, T) bool: which tokens each name has."""
    place = {token: index for index, token in enumerate(tokens)}
    owned = [[place[token] for token in tokens_of(name)] for name in names]
    rows = torch.arange(len(names)).repeat_interleave(torch.tensor([len(own) for own in owned]))
    result = torch.zeros(len(names), len(tokens), dtype=torch.bool)
    result[rows, torch.tensor([index for own in owned for index in own])] = True
    return result
