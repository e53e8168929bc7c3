"""Errors that a user can act on, and how commands report them."""

from __future__ import annotations

import errno
import re
import sys
from collections.abc import Callable
from typing import NoReturn

from ovdistill.core.text import printable

FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
LINE_BREAK = "\n"  # our own messages may have several lines


class UserError(Exception):
    """Bad input; the message says what was got, what was expected, and what fixes it.

    Each subclass can be made from its message alone: so torch raises the error of a data loader's
    worker again as what it was.

    Attributes:
        exit_code: the exit code of a command that ends with this error.
    """

    exit_code = 2


def run_tool(main: Callable[[], int | None]) -> NoReturn:
    """Run a command and end the process with its exit code, without a traceback on bad input.

    The exit code is what ``main`` returns (None counts as 0), that of a ``UserError``, whose
    message goes to standard error, and 130 after Ctrl-C. A file that cannot be opened, read or
    written counts as bad input too.

    Args:
        main: the command.
    """
    try:
        sys.exit(main() or 0)
    except UserError as error:
        print(f"error: {printable(message_of(error), keep=LINE_BREAK)}", file=sys.stderr)
        sys.exit(error.exit_code)
    except OSError as error:
        if error.filename is None and error.errno not in FULL_DISK:
            raise
        where = printable(str(error.filename)) if error.filename else "a file"
        print(f"error: {where}: {error.strerror}", file=sys.stderr)
        sys.exit(UserError.exit_code)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


def message_of(error: UserError) -> str:
    """Return an error's message, without the traceback that torch puts before a worker's."""
    text = str(error)
    if text.startswith("Caught ") and "Traceback (most recent call last)" in text:
        # of errors that followed one another the last line of this form is the one that was raised
        *_, text = re.split(rf"^(?:\w+\.)*{type(error).__name__}: ", text, flags=re.MULTILINE)
    return text.strip()
