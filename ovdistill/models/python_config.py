"""Read a config that is Python source, with errors that name its file and line.

Such a config is code: whoever reads it runs it (docs/security.md).
"""

from __future__ import annotations

import ast
import traceback
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ovdistill.core.errors import UserError
from ovdistill.core.text import did_you_mean

DUPLICATE = "Duplicate key is not allowed among bases"  # mmengine's words
NO_YAML = (
    "YAML is not read: `lr: 1e-4` is text there, `no` is False, and tags run code. Expected a "
    "Python config, or the .json that `ovdistill publish` writes."
)


def read_python(path: Path) -> Config:
    """Run a Python config and return its values; ``custom_imports`` are left to the caller.

    Raises:
        UserError: the file or one of its ``_base_`` cannot be read, is no Python, or raises.
    """
    check_sources(path)
    try:
        return Config.fromfile(str(path), import_custom_modules=False)
    except (Exception, SystemExit) as error:  # the config's own code may raise anything
        if isinstance(error, KeyError) and DUPLICATE in str(error) and (found := _twice(path)):
            raise UserError(found) from error
        raise UserError(f"{place_of(error) or path}: {_reason(error)}") from error


def check_sources(path: Path, above: tuple[Path, ...] = ()) -> None:
    """Raise UserError unless a Python config and its ``_base_`` files are there and can be parsed.

    Args:
        path: the config.
        above: the configs that lead to it.
    """
    if path in above:
        raise UserError(f"{above[-1]}: _base_ names {path}, which is based on this file itself")
    text = _read_text(path)
    if "{{" in text:
        return  # mmengine replaces that before it parses, so it need not be Python yet
    try:
        tree = ast.parse(text, str(path))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        place = f"{path}, line {line}" if line else str(path)
        raise UserError(f"{place}: {_reason(error)}") from None
    for base in _bases(tree, path):
        if base.endswith((".yaml", ".yml")):
            raise UserError(f"{path}: _base_ names {base}. {NO_YAML}")
        if "::" in base:
            continue  # of an installed package, which mmengine finds
        file = path.parent / base
        if not file.is_file():
            near = did_you_mean(file.name, (own.name for own in file.parent.glob("*.py")))
            hint = near or "paths are relative to the config's folder"
            raise UserError(f"{path}: _base_ names {base}; there is no such file {file}: {hint}")
        if file.suffix == ".py":
            check_sources(file, (*above, path))


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not text in UTF-8 (byte {error.start})") from None


def _bases(tree: ast.Module, path: Path) -> list[str]:
    """Return the file names that a config gives as ``_base_``."""
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "_base_":
            try:
                value: Any = ast.literal_eval(statement.value)
            except ValueError:
                value = None
            names = [value] if isinstance(value, str) else value
            if isinstance(names, (list, tuple)) and all(isinstance(name, str) for name in names):
                return list(names)
            raise UserError(
                f"{path}, line {statement.lineno}: expected _base_ to be a list of file names, "
                "written out"
            )
    return []


def _twice(path: Path) -> str | None:
    """Describe keys that two bases of a config have, or two bases of one of its bases."""
    before: dict[str, str] = {}  # the base that has a key
    for base in _bases(ast.parse(_read_text(path)), path):
        if "::" in base:
            continue
        if deeper := _twice(path.parent / base):
            return deeper
        values = Config.fromfile(str(path.parent / base), import_custom_modules=False)
        if both := sorted(before.keys() & values.keys()):
            return (
                f"{path}: _base_ names {before[both[0]]} and {base}, which both have "
                f"{', '.join(both)}. Expected each key in one of them: take it out of one, or let "
                f"one of the two name the other as its _base_"
            )
        before |= dict.fromkeys(values.keys(), base)
    return None


def place_of(error: BaseException) -> str | None:
    """Return the file and line of the module whose code raised an error; None if unknown."""
    frames = traceback.extract_tb(error.__traceback__)
    # mmengine runs a config's source as a module
    own = [frame for frame in frames if frame.name == "<module>" and frame.filename.endswith(".py")]
    return f"{own[-1].filename}, line {own[-1].lineno}" if own else None


def _reason(error: BaseException) -> str:
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
