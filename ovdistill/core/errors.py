"""Errors a user can act on, and how the tools report them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn


class UserError(Exception):
    """Bad input: the message says what was got, what was expected, and what fixes it."""


def run_tool(main: Callable[[], int | None]) -> NoReturn:
    """Runs a tool's ``main`` and exits: 0 or its return value, 2 on bad input, without a traceback.

    Args:
        main: the tool; a ``UserError`` it raises is printed to standard error as one message.
    """
    try:
        sys.exit(main() or 0)
    except UserError as error:
        # a data loader's worker sends its traceback along in the message
        message = str(error).rpartition("UserError: ")[2].strip()
        print(f"error: {message}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
