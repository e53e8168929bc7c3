"""Errors that a user can act on, and how commands report them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn


class UserError(Exception):
    """Bad input; the message says what was got, what was expected, and what fixes it.

    Attributes:
        exit_code: the exit code of a command that ends with this error.
    """

    exit_code = 2


def run_tool(main: Callable[[], int | None]) -> NoReturn:
    """Run a command and end the process with its exit code, without a traceback on bad input.

    The exit code is what ``main`` returns (None counts as 0), that of a ``UserError``, whose
    message goes to standard error, and 130 after Ctrl-C.

    Args:
        main: the command.
    """
    try:
        sys.exit(main() or 0)
    except UserError as error:
        # a data loader's worker sends its traceback along in the message
        message = str(error).rpartition("UserError: ")[2].strip()
        print(f"error: {message}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
