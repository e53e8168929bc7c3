"""Show text of unknown origin, such as class names and paths, so that it is only text.

A name from a file may hold line breaks, escape codes that a terminal obeys, or invisible
characters that turn the order of a line around.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches

# control characters, invisible ones (direction marks, joiners), lone surrogates, line separators
HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")


def printable(text: str | os.PathLike[str], *, keep: str = "") -> str:
    r"""Return a text with every character that would act or hide as an escape such as ``\x1b``.

    The result can be printed in any terminal: it holds no control character, no line break, no
    mark that turns the direction of writing, no character of zero width, no surrogate.

    Args:
        text: a name, a path or a message.
        keep: characters that stay as they are, such as the line breaks of our own messages.
    """
    text = os.fspath(text)
    if text.isprintable():
        return text
    return "".join(
        _escape(character) if _is_hidden(character) and character not in keep else character
        for character in text
    )


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return a hint to names that are spelled like one that is not known.

    Args:
        name: the name that is not known.
        known: those that are.
        otherwise: the hint if there is none like it.
    """
    spelled = {known_name.casefold(): known_name for known_name in sorted(known)}
    near = [spelled[each] for each in get_close_matches(name.casefold(), spelled)]
    return f"did you mean {' or '.join(near)}?" if near else otherwise


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in HIDDEN


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
