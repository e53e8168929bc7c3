"""Checks of what a command was given, made before anything heavy is imported."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path

from ovdistill.commands.options import CommonOptions
from ovdistill.core.errors import UserError
from ovdistill.core.files import check_output_file, check_output_folder


def check_file(path: str | os.PathLike[str] | None, name: str) -> None:
    """Raise UserError unless a file is there.

    Args:
        path: the file; None, for an option that was not given, is no error.
        name: what it is, such as '--vocabulary'.
    """
    if path is not None and not Path(path).is_file():
        raise UserError(f"got {name} {os.fspath(path)}; there is no such file")


def check_folder(path: str | os.PathLike[str], name: str) -> None:
    """Raise UserError unless a folder is there.

    Args:
        path: the folder.
        name: what it is, such as 'STORE'.
    """
    if not Path(path).is_dir():
        raise UserError(f"got {name} {os.fspath(path)}; there is no such folder")


def check_free(path: Path, *, force: bool) -> None:
    """Raise UserError for a file that is there, unless it may be replaced."""
    if path.exists() and not force:
        raise UserError(f"{path} is there already: --force replaces it, -o names another file.")


def check_input_stays(
    out: Path, path: Path, role: str, writes: Callable[[str], bool] | None = None
) -> None:
    """Raise UserError if a result would replace what it is made from.

    Args:
        out: the file or folder of the result.
        path: of the input; it need not be there.
        role: what the input is for, for the message.
        writes: whether a file of a name is written into the folder ``out``, where all others stay;
            None if ``out`` is replaced as a whole, with all that lies in it.
    """
    there, target = path.resolve(), out.resolve()
    if writes is None:
        replaced = target in (there, *there.parents)
    else:
        replaced = there.parent == target and writes(there.name)
    if replaced and there.exists():
        raise UserError(f"-o {out} would replace {path}, {role}; choose another name")


def check_positive(options: CommonOptions, *names: str) -> None:
    """Raise UserError unless these integers are None, for the default, or 1 and more."""
    for name in names:
        value = getattr(options, name)
        if value is not None and value < 1:
            raise UserError(f"got --{name.replace('_', '-')} {value}; expected 1 or more")


def check_outputs(options: CommonOptions) -> None:
    """Raise UserError unless the files and folders that options name can be written."""
    checks = {"file": check_output_file, "folder": check_output_folder}
    for field in dataclasses.fields(options):
        path = getattr(options, field.name)
        if path is not None and field.metadata.get("writes"):
            checks[field.metadata["writes"]](path)
