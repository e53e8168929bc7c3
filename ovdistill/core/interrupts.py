"""End a command on Ctrl-C and SIGTERM without a traceback, and without what it had half written.

A signal becomes an exception, so that temporary files are removed on the way out. Libraries may
swallow or rename that exception (numpy and torch do so while they are imported), so it is noted
here that a signal came: whatever ends the command after it ends it as interrupted.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

SECONDS_TO_CLEAN_UP = 10.0  # after this time the process ends, whatever it does
SECONDS_TO_STOP_CHILDREN = 2.0


class Interrupts:
    """The signal that this process was ended with, if any.

    Attributes:
        signal: its number, 0 before there is one.
        message: what is printed at the end.
        code: the exit code, 0 for the one that shells know for the signal: 130 or 143.
        exit_at_once: an error ends the process without the interpreter's own clean-up.
        process: id of the process that handles signals; forked children are others.
    """

    def __init__(self) -> None:
        self.signal = 0
        self.message = "interrupted"
        self.code = 0
        self.exit_at_once = False
        self.process = 0
        self.time = 0.0

    def catch(self) -> None:
        """Handle Ctrl-C and SIGTERM from now on; a signal that is ignored stays ignored."""
        self.process = os.getpid()
        for number, default in (
            (signal.SIGINT, signal.default_int_handler),
            (signal.SIGTERM, signal.SIG_DFL),
        ):
            if signal.getsignal(number) is default:
                signal.signal(number, self._handle)

    def stop(self, message: str, code: int) -> None:
        """End the command from another thread, as a signal would.

        Args:
            message: what is printed at the end.
            code: the exit code.
        """
        if self.signal:
            return
        self.message, self.code = message, code
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
        time.sleep(SECONDS_TO_CLEAN_UP)
        print(message, file=sys.stderr, flush=True)  # the main thread waits in foreign code
        self.end(code)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self.process:  # a forked worker, which its parent ends on Ctrl-C
            if number == signal.SIGTERM:
                os._exit(128 + number)
            return
        first, self.signal = not self.signal, self.signal or number
        if first:
            self.time = time.monotonic()
            # a library may have swallowed the exception, and go on or wait in foreign code
            overdue = threading.Timer(SECONDS_TO_CLEAN_UP, self._overdue)
            overdue.daemon = True
            overdue.start()
            sys.unraisablehook = lambda _: None  # such as torch's, that its workers are gone
            raise KeyboardInterrupt
        # launchers repeat the signal while this process still cleans up
        if time.monotonic() - self.time > SECONDS_TO_CLEAN_UP:
            self.end()

    def _overdue(self) -> None:
        print(self.message, file=sys.stderr, flush=True)
        self.end()

    def end(self, code: int | None = None) -> NoReturn:
        """End this process and its children now, without the noise of an interpreter's exit.

        Args:
            code: the exit code (default: that of the signal).
        """
        if "multiprocessing" in sys.modules:
            from multiprocessing import active_children

            for child in active_children():
                child.terminate()
            for child in active_children():
                child.join(SECONDS_TO_STOP_CHILDREN)
            for child in active_children():  # a child loses a signal that comes while it is forked
                child.kill()
        os._exit(self.code or 128 + self.signal if code is None else code)


INTERRUPTS = Interrupts()


@contextmanager
def held_interrupts() -> Iterator[None]:
    """Hold Ctrl-C back until the end of the block; processes started in it never get it.

    The parent process ends such children; the traceback of each would only hide its message.
    """
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # it lets Ctrl-C through again when it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
