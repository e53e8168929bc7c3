"""Errors that a user can act on, and how commands report them."""

from __future__ import annotations

import logging
import os
import re
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

from ovdistill.core.interrupts import INTERRUPTS
from ovdistill.core.text import printable

LOGGER = logging.getLogger(__name__)
CLOSED_PIPE = 141  # exit code of a process that SIGPIPE ends, as shells give it
LINE_BREAK = "\n"  # our own messages may have several lines
NO_MEMORY = ("out of memory", "can't allocate memory")  # in RuntimeErrors of torch


class UserError(Exception):
    """Bad input; the message says what was got, what was expected, and what fixes it.

    Each subclass can be made from its message alone: so torch raises the error of a data loader's
    worker again as what it was.

    Attributes:
        exit_code: the exit code of a command that ends with this error.
    """

    exit_code = 2


class DivergedError(UserError):
    """Error for a training whose numbers are no longer finite."""

    exit_code = 3


def run_tool(main: Callable[[], int | None]) -> NoReturn:
    """Run a command and end the process with its exit code, without a traceback on bad input.

    The exit code is what ``main`` returns (None counts as 0) or that of a ``UserError``, whose
    message goes to standard error as one line. Other ends that are no defect of the command are one
    line too: 2 for an error of the operating system (a disk that is full, a file that may not be
    read) and for too little memory, 130 after Ctrl-C, 143 after SIGTERM. When the reader of a pipe
    stops early, as `head` does, the command ends silently with 141. Defects keep their traceback.

    Args:
        main: the command.
    """
    open_standard_files()
    try:
        code = _flushed(_exit_code(main))
    except BaseException:
        if not (INTERRUPTS.signal or INTERRUPTS.exit_at_once):
            raise
        if not INTERRUPTS.signal:
            traceback.print_exc()
        code = 1
    if INTERRUPTS.signal:  # an exception that the signal raised may have been swallowed
        _say(INTERRUPTS.message)
        INTERRUPTS.end()
    if code and INTERRUPTS.exit_at_once:
        INTERRUPTS.end(code)
    sys.exit(code)


def open_standard_files() -> None:
    """Connect standard files that are closed (``>&-``) with /dev/null.

    Else the next file that is opened would take their place, and be printed into.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    sys.stdout = sys.stdout or open(os.devnull, "w")
    sys.stderr = sys.stderr or open(os.devnull, "w")


def _exit_code(main: Callable[[], int | None]) -> int:
    """Return the exit code of a command, after its error was printed."""
    try:
        return main() or 0
    except SystemExit as stopped:  # of argparse, after its message
        return stopped.code if isinstance(stopped.code, int) else int(stopped.code is not None)
    except UserError as error:
        return _report(message_of(error), error.exit_code)
    except KeyboardInterrupt:
        if not INTERRUPTS.signal:
            _say("interrupted")
        return 130
    except BrokenPipeError:
        return _drop_output()
    except MemoryError:
        return _report("not enough memory for this")
    except OSError as error:
        if error.errno is None:  # not of the operating system
            raise
        where = printable(str(error.filename)) if error.filename else ""
        return _report(f"{where}: {error.strerror}" if where else str(error))
    except RuntimeError as error:
        lines = [line for line in str(error).splitlines() if any(s in line for s in NO_MEMORY)]
        if not lines:
            raise
        return _report(f"not enough memory for this ({lines[0]})")


def message_of(error: UserError) -> str:
    """Return an error's message, without the traceback that torch puts before a worker's."""
    text = str(error)
    if text.startswith("Caught ") and "Traceback (most recent call last)" in text:
        # of errors that followed one another the last line of this form is the one that was raised
        *_, text = re.split(rf"^(?:\w+\.)*{type(error).__name__}: ", text, flags=re.MULTILINE)
    return text.strip()


def _flushed(code: int) -> int:
    """Return the exit code after the rest of the output was written, which may fail."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return _drop_output()
    except OSError as error:
        _drop_output()
        return _report(f"the output cannot be written ({error.strerror})")
    return code


def _report(message: str, code: int = 2) -> int:
    LOGGER.debug("the error was raised here:", exc_info=True)
    _say(f"error: {printable(message, keep=LINE_BREAK)}")
    return code


def _say(message: str) -> None:
    try:
        print(message, file=sys.stderr, flush=True)
    except (OSError, ValueError):
        pass  # nobody listens: standard error is closed or full


def _drop_output() -> int:
    """Let what is still buffered go nowhere; return the exit code of a closed pipe."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return CLOSED_PIPE
