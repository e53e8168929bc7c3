"""Divides a text into what one font must draw: a character with the marks that belong to it."""

from __future__ import annotations

import unicodedata

JOINERS = ("\u200c", "\u200d")  # ZWNJ and ZWJ: scripts and emoji need them
# Fonts need not have these: a layout engine obeys and hides them.
UNDRAWN = frozenset((*JOINERS, "\ufe0e", "\ufe0f"))
SKIN_TONES = ("\U0001f3fb", "\U0001f3ff")


def clusters(text: str) -> list[str]:
    """Return the parts of a text between which it may be cut or change its font.

    A part is a character with the combining marks, joiners, variation selectors and skin tones
    after it, and with what a ZWJ joins to it.
    """
    parts: list[str] = []
    for character in text:
        if parts and (_belongs_to_the_one_before(character) or parts[-1][-1] == JOINERS[1]):
            parts[-1] += character
        else:
            parts.append(character)
    return parts


def _belongs_to_the_one_before(character: str) -> bool:
    if character in UNDRAWN or SKIN_TONES[0] <= character <= SKIN_TONES[1]:
        return True
    return unicodedata.category(character).startswith("M")
