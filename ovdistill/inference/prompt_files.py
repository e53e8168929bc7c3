"""Reads what to look for from a file: names, their synonyms, and names that only compete."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ovdistill.core.errors import UserError
from ovdistill.core.json_files import read_json
from ovdistill.datasets.category_names import read_names

LARGEST = 4 << 20  # bytes
FORM = """
    names:
      couch: [sofa, settee]
      lamp:
    negatives: [cushion]
"""


def read_prompts(path: str) -> tuple[dict[str, list[str]], list[str]]:
    """Read names with their synonyms, and names that compete with them.

    A .json or .yaml file with a mapping ``names`` of names to synonyms, and ``negatives``, says
    both. All other files are read as lists of names, see ``read_names``.

    Returns:
        Synonyms of each name, and the negatives.

    Raises:
        UserError: a file that cannot be read, or a synonym that is no text.
    """
    content = _mapping(Path(path))
    names = content.get("names")
    if not isinstance(names, Mapping) or not all(
        isinstance(key, str) and (value is None or isinstance(value, (str, list)))
        for key, value in names.items()
    ):
        return {name: [] for name in read_names(path).names}, []
    negatives = content.get("negatives") or []
    if not isinstance(negatives, list):
        raise UserError(f"{path}: got negatives = {negatives!r}; expected a list of names:{FORM}")
    found = {name: _texts(value, path) for name, value in names.items()}
    return found, _texts(negatives, path)


def _texts(value: Any, path: str) -> list[str]:
    texts = [] if value is None else [value] if isinstance(value, str) else value
    for text in texts:
        if not isinstance(text, str):
            raise UserError(f"{path}: got {text!r}; expected texts, as in{FORM}")
    return list(texts)


def _mapping(path: Path) -> Mapping[Any, Any]:
    """Return the mapping that a file is, or an empty one."""
    content: Any = None
    if path.suffix.lower() == ".json" and path.is_file():
        content = read_json(path, "file of names")
    elif path.suffix.lower() in (".yaml", ".yml") and path.is_file():
        if path.stat().st_size > LARGEST:
            raise UserError(f"{path} has over {LARGEST >> 20} MiB; expected a file of names")
        try:
            content = yaml.safe_load(path.read_bytes())
        except (yaml.YAMLError, UnicodeError) as error:
            raise UserError(f"{path} is no YAML ({str(error).splitlines()[0]})") from None
    return content if isinstance(content, Mapping) else {}
