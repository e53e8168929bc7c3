"""Mutations of JSON that keep its form: values, keys and records change, brackets still match.

What Python's ``json`` cannot write (deep nesting, 5,000 digits, lone surrogates) goes through
``RAW``: strings that ``dump`` replaces in the text.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from copy import deepcopy
from random import Random
from typing import Any

RAW = {
    "@deep-list@": "[" * 100_000,
    "@deep-object@": '{"a":' * 50_000,
    "@nested@": "[" * 900 + "]" * 900,
    "@digits@": "9" * 5_000,
    "@negative-digits@": "-" + "9" * 400,
    "@overflow@": "1e999",
    "@surrogate@": '"\\ud800"',
}
NUMBERS = (
    *(-1, 0, 1, 0.5, 2, 255, 256, -0.0, 1e-320, 1e-9, 1.5, 1e6, 1e10, 1e38, 3.5e38, 1e308, -1e308),
    *(2**31 - 1, 2**31, 2**32, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64, 10**12, 10**30, -(2**63)),
    *(math.nan, math.inf, -math.inf),
)
TEXTS = (
    *(
        "",
        " ",
        "0",
        "1",
        "12.5",
        "-1",
        "1e400",
        "nan",
        "null",
        "true",
        "a",
        "x" * 3000,
        "a,b",
        "a|b",
    ),
    *("\u0000", "\n", "a\nb", "\x1b[31mred", "\u202e", "\ufeff", "é", "中文", "\u2028", "{", "{}"),
    *("{0}", "{a}", "%s", "\\", "'", '"', "../../x", "/etc/passwd", "C:\\x", "[red]", "__class__"),
)
OTHER = (None, True, False, [], {}, [[]], [{}], [[], []], [1, 2, 3], {"a": 1}, {"": None})


def dump(value: Any) -> bytes:
    """Return a value as JSON text in UTF-8, with the strings of ``RAW`` replaced."""
    text = json.dumps(value)
    if "@" in text:
        for token, raw in RAW.items():
            text = text.replace(f'"{token}"', raw)
    return text.encode()


def nasty_value(rng: Random, texts: Sequence[str] = ()) -> Any:
    """Return a value that few programs expect.

    Args:
        rng: chooses it.
        texts: further texts, which one reader gives a meaning.
    """
    kind = rng.randrange(8)
    if texts and kind == 0:
        return rng.choice(texts)
    if kind == 1 and rng.random() < 0.3:
        return rng.choice(tuple(RAW))
    if kind <= 3:
        return rng.choice(NUMBERS)
    return deepcopy(rng.choice(OTHER)) if kind <= 5 else rng.choice(TEXTS)


def mutate_json(value: Any, rng: Random, texts: Sequence[str] = ()) -> Any:
    """Return a copy of a JSON value with one to four mutations.

    Args:
        value: plain JSON values.
        rng: chooses mutations and places.
        texts: see ``nasty_value``.
    """
    holder = [deepcopy(value)]
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        box, key = _place(holder, rng)
        rng.choice(MUTATIONS)(box, key, rng, texts)
    return holder[0]


def _place(holder: list[Any], rng: Random) -> tuple[Any, Any]:
    """Walk to a random value; return what holds it and its key there."""
    box: Any = holder
    key: Any = 0
    while isinstance(box[key], (dict, list)) and box[key] and rng.random() < 0.85:
        box = box[key]
        key = rng.choice(list(box)) if isinstance(box, dict) else rng.randrange(len(box))
    return box, key


def _replace(box: Any, key: Any, rng: Random, texts: Sequence[str]) -> None:
    box[key] = nasty_value(rng, texts)


def _delete(box: Any, key: Any, rng: Random, texts: Sequence[str]) -> None:
    del box[key]
    if not box and isinstance(box, list):
        box.append(None)  # the outermost list always has its value


def _rename(box: Any, key: Any, rng: Random, texts: Sequence[str]) -> None:
    if isinstance(box, dict):
        box[str(nasty_value(rng, texts))] = box.pop(key)


def _swap(box: Any, key: Any, rng: Random, texts: Sequence[str]) -> None:
    other = rng.choice(list(box)) if isinstance(box, dict) else rng.randrange(len(box))
    box[key], box[other] = box[other], box[key]


def _repeat(box: Any, key: Any, rng: Random, texts: Sequence[str]) -> None:
    if isinstance(box, list) and len(box) < 500:
        box[key:key] = [deepcopy(box[key]) for _ in range(rng.choice((1, 2, 20)))]
    elif isinstance(box, dict):
        box[f"{key} "] = deepcopy(box[key])


def _shuffle(box: Any, key: Any, rng: Random, texts: Sequence[str]) -> None:
    if isinstance(box[key], list):
        rng.shuffle(box[key])
    else:
        _replace(box, key, rng, texts)


def _retype(box: Any, key: Any, rng: Random, texts: Sequence[str]) -> None:
    """Say the same value in another type."""
    value = box[key]
    if isinstance(value, bool) or value is None:
        box[key] = rng.choice((0, 1, "true", str(value)))
    elif isinstance(value, (int, float)):
        box[key] = rng.choice((str(value), [value], value + 0.5, -value, value * 1e9, bool(value)))
    elif isinstance(value, str):
        box[key] = rng.choice(([value], {value: value}, value.upper(), value * 2, f" {value} "))
    elif isinstance(value, list):
        box[key] = rng.choice(({str(i): v for i, v in enumerate(value)}, [value], value[:1]))
    else:
        box[key] = rng.choice(([*map(list, value.items())], [*value], [value], str(value)))


def _arithmetic(box: Any, key: Any, rng: Random, texts: Sequence[str]) -> None:
    """Change a number a little, so that it is still one that could be meant."""
    if isinstance(box[key], (int, float)):
        box[key] = box[key] + rng.choice((-1, 1, -10, 10, 0.25, -1000, 1000))
    else:
        _replace(box, key, rng, texts)


MUTATIONS: tuple[Callable[[Any, Any, Random, Sequence[str]], None], ...] = (
    *(_replace, _replace, _replace, _retype, _retype, _arithmetic),
    *(_delete, _rename, _swap, _repeat, _shuffle),
)
