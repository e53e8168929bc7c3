"""Fill the ``{name}`` placeholders of a config.

A string anywhere in a config may hold ``{name}``, where ``name`` is a key at the config's top level
whose value is a string: ``vocabulary = "{data_root}/vocabulary.safetensors"``. The value may hold
placeholders itself; values that name each other in a circle are an error. Braces around anything
else stay as they are (prompt templates have ``{}`` and ``{article}``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ovdistill.core.errors import UserError

PLACEHOLDER = re.compile(r"{([^{}]+)}")
# far more than a config needs; "{a}{a}" in "{b}{b}" in ... doubles with every level
MOST_CHARACTERS = 10_000_000
MOST_LEVELS = 50


def fill_placeholders(
    config: Mapping[str, Any], more: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return a copy of a config, a tree of plain values, with the placeholders filled (see above).

    Args:
        config: the tree.
        more: further placeholders, which keys of the config go before.

    Raises:
        UserError: placeholders name each other in a circle or too deeply, or make more than
            ``MOST_CHARACTERS`` characters.
    """
    own = {key: value for key, value in config.items() if isinstance(value, str)}
    return _Filling({**(more or {}), **own}).fill(config)


class _Filling:
    """The strings that placeholders name, and those of them that are filled already."""

    def __init__(self, strings: Mapping[str, str]) -> None:
        self.strings = strings
        self.filled: dict[str, str] = {}
        self.inserted = 0

    def fill(self, value: Any, inside: tuple[str, ...] = ()) -> Any:
        if isinstance(value, str):
            return PLACEHOLDER.sub(lambda match: self.look_up(match, inside), value)
        if isinstance(value, Mapping):
            return {key: self.fill(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(self.fill(item) for item in value)
        return value

    def look_up(self, match: re.Match[str], inside: tuple[str, ...]) -> str:
        name = match[1]
        if name not in self.strings:
            return match[0]
        if name not in self.filled:
            self.check_path(name, inside)
            self.filled[name] = self.fill(self.strings[name], (*inside, name))
        self.inserted += len(self.filled[name])
        if self.inserted > MOST_CHARACTERS:
            raise UserError(
                f"placeholders of the config make more than {MOST_CHARACTERS} characters: "
                f"{{{name}}} alone stands for {len(self.filled[name])}. Give it a shorter value."
            )
        return self.filled[name]

    @staticmethod
    def check_path(name: str, inside: tuple[str, ...]) -> None:
        if name in inside:
            circle = " -> ".join((*inside[inside.index(name) :], name))
            raise UserError(
                f"placeholders of the config name each other: {circle}. Give one of them a value "
                "without placeholders, e.g. with --cfg-options."
            )
        if len(inside) >= MOST_LEVELS:
            raise UserError(
                f"placeholders of the config name one another over more than {MOST_LEVELS} levels: "
                f"{inside[0]} -> {inside[1]} -> ... -> {name}. Name values directly."
            )
