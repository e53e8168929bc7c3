"""One spelling for each class name, whatever file it comes from, and those of published prompts."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

Spelling = Literal["plain", "words", "raw"]

_NO_PARENTHESES = str.maketrans("", "", "()")
# LVIS v1's own annotation files misspell this one.
_CORRECTED = {"speaker (stero equipment)": "speaker (stereo equipment)"}


@lru_cache(maxsize=1 << 16)  # every vocabulary that is built is checked by it
def clean_name(name: str) -> str:
    """Return a class name as plain words: "Speaker_(stereo)" -> "speaker (stereo)".

    "_" becomes a space, "/" becomes " or ", lower case, no trailing "." (ViLD's rule). Names that
    are equal after cleaning name the same class.
    """
    words = name.replace("_", " ").replace("/", " or ").lower().split()
    cleaned = " ".join(words).rstrip(".").rstrip()
    return _CORRECTED.get(cleaned, cleaned)


def spell_name(name: str, spelling: Spelling) -> str:
    """Return a class name as it stands in a prompt.

    Args:
        name: "Bow_(weapon)".
        spelling: "plain": ``clean_name``, "bow (weapon)" (ViLD); "words": the same without
            parentheses, "bow weapon" (DetPro's learned prompts); "raw": as its source has it (RKD,
            and DetPro's written prompts).
    """
    if spelling == "raw":
        return name
    plain = clean_name(name)
    return " ".join(plain.translate(_NO_PARENTHESES).split()) if spelling == "words" else plain
