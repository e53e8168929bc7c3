"""Import packages that only some users need, when they are needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ovdistill.core.errors import UserError


def import_extra(name: str, extra: str | None = None) -> Any:
    """Import a package that is an optional extra of this one.

    Args:
        name: of the package.
        extra: what installs it, ``ovdistill[extra]``; by default, it is called like the package.

    Raises:
        UserError: it is not installed.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise UserError(
            f"the package {name} is not installed: pip install 'ovdistill[{extra or name}]'"
        ) from error
