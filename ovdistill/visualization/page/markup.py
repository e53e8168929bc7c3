"""Builds HTML and SVG. Text is escaped, whatever it holds, unless it was built here."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TypeAlias

from ovdistill.core.text import printable

EMPTY = frozenset({"input", "img", "br", "meta", "rect", "line", "circle", "path", "polyline"})


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


Content: TypeAlias = "str | float | None | Iterable[Content]"


def tag(name: str, /, *content: Content, **attributes: str | float | None) -> Markup:
    """Return an element.

    Args:
        name: of the element.
        content: texts, which are escaped, numbers, markup, or sequences of these; None is nothing.
        attributes: their values are escaped. An underscore at the end of a name is left out, others
            become hyphens. True is an attribute without a value; None and False are left out.
    """
    shown = "".join(_attribute(*pair) for pair in attributes.items())
    if name in EMPTY and not content:
        return Markup(f"<{name}{shown}/>")
    return Markup(f"<{name}{shown}>{join(content)}</{name}>")


def join(content: Content) -> Markup:
    """Return content, see ``tag``, as markup."""
    if content is None:
        return Markup("")
    if isinstance(content, Markup):
        return content
    if isinstance(content, str):
        return Markup(escape(printable(content, keep="\n")))
    if isinstance(content, (int, float)):
        return Markup(f"{content:g}")
    return Markup("".join(map(join, content)))


def _attribute(key: str, value: str | float | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    text = f"{value:.6g}" if isinstance(value, (int, float)) else printable(value, keep="\n")
    return f' {name}="{escape(text)}"'
