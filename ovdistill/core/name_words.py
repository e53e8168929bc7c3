"""The words of a class name, by which names that differ in spelling only are told to be one."""

from __future__ import annotations

import re
from functools import lru_cache

PARENTHESES = re.compile(r"\([^)]*\)")


@lru_cache(maxsize=1 << 16)  # every new text is compared with all class names
def words(name: str) -> frozenset[str]:
    """Return the words of a class name in lower case and singular, without what is in parentheses.

    "Traffic_Lights (red)" has the words "traffic" and "light".
    """
    plain = PARENTHESES.sub(" ", name.lower()) if name.strip().find("(") > 0 else name.lower()
    spaced = plain.replace("_", " ").replace("-", " ")
    return frozenset(singular(word) for word in spaced.split())


def spelling(name: str) -> tuple[str, ...]:
    """Return all words of a class name in lower case and singular, in their order.

    What is in parentheses counts: "bat (animal)" and "bat (sports equipment)" are two classes.
    """
    return tuple(singular(word) for word in re.findall(r"[^\s_\-()]+", name.lower()))


def singular(word: str) -> str:
    """Return an English word in lower case without the ending of its plural.

    Words that end in s without being plurals may lose it, the same way whenever they occur.
    """
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    if len(word) > 4 and word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
