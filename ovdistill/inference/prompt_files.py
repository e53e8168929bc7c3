"""Reads what to look for from a file: names, their synonyms, and names that only compete."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ovdistill.core.errors import UserError
from ovdistill.core.json_files import read_json
from ovdistill.datasets.names import read_names

LARGEST = 4 << 20  # bytes
MOST_PHRASES = 200_000  # of all names; aliases of YAML can repeat a list without end
NULL = "tag:yaml.org,2002:null"
FORM = """
    names:
      couch: [sofa, settee]
      lamp:
    negatives: [cushion]
"""


class TextLoader(yaml.BaseLoader):
    """Reads scalars as texts, so that a name may be "no" or a date, and nothing as None."""


TextLoader.add_implicit_resolver(NULL, re.compile(r"(~|null|Null|NULL|)\Z"), ["~", "n", "N", ""])
TextLoader.add_constructor(NULL, lambda loader, node: None)


def read_prompts(path: str) -> tuple[dict[str, list[str]], list[str]]:
    """Read names with their synonyms, and names that compete with them.

    A .json or .yaml file with a mapping ``names`` of names to synonyms, and ``negatives``, says
    both. All other files are read as lists of names, see ``read_names``.

    Returns:
        Synonyms of each name, and the negatives.

    Raises:
        UserError: a file that cannot be read, a synonym that is no text, or too many phrases.
    """
    content = _mapping(Path(path))
    names = content.get("names")
    if not isinstance(names, Mapping) or not _has_synonyms(names):
        return {name: [] for name in read_names(path).names}, []
    negatives = content.get("negatives") or []
    if not isinstance(negatives, list):
        got = f"negatives = {_shown(negatives)}"
        raise UserError(f"{path}: got {got}; expected a list of names:{FORM}")
    count = sum(len(value) for value in names.values() if isinstance(value, list))
    if count > MOST_PHRASES:
        raise UserError(f"{path}: got {count:,} phrases; expected at most {MOST_PHRASES:,}")
    found = {name: _texts(value, path) for name, value in names.items()}
    return found, _texts(negatives, path)


def _has_synonyms(names: Mapping[Any, Any]) -> bool:
    """Return whether a mapping is of names to synonyms, rather than to or from numbers."""
    values = names.values()
    if not all(isinstance(name, str) for name in names):
        return False
    if all(isinstance(value, str) for value in values):
        return not any(all(text.isdecimal() for text in texts) for texts in (names, values))
    return all(value is None or isinstance(value, (str, list)) for value in values)


def _texts(value: Any, path: str) -> list[str]:
    texts = [] if value is None else [value] if isinstance(value, str) else value
    for text in texts:
        if not isinstance(text, str):
            raise UserError(f"{path}: got {_shown(text)}; expected texts, as in{FORM}")
    return list(texts)


def _shown(value: Any) -> str:
    """Return the beginning of a value, which aliases may make endless."""
    return reprlib.repr(value)[:80]


def _mapping(path: Path) -> Mapping[Any, Any]:
    """Return the mapping that a file is, or an empty one."""
    content: Any = None
    if path.suffix.lower() == ".json" and path.is_file():
        content = read_json(path, "file of names")
    elif path.suffix.lower() in (".yaml", ".yml") and path.is_file():
        if path.stat().st_size > LARGEST:
            raise UserError(f"{path} has over {LARGEST >> 20} MiB; expected a file of names")
        try:
            content = yaml.load(path.read_bytes(), TextLoader)
        except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
            raise UserError(f"{path} is no YAML ({' '.join(str(error).split())[:80]})") from None
    return content if isinstance(content, Mapping) else {}
