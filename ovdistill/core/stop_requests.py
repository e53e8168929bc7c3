"""Let a loop end by itself on Ctrl-C or SIGTERM, so that what it writes is finished."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequest:
    """Whether somebody asked to stop.

    Attributes:
        signal: number of the signal, 0 before there is one.
    """

    def __init__(self) -> None:
        self.signal = 0

    def __bool__(self) -> bool:
        return bool(self.signal)

    def repeat(self) -> None:
        """Send the signal again, to the handlers that end the command; nothing without one.

        Raises:
            KeyboardInterrupt: there was a signal.
        """
        if self.signal:
            signal.raise_signal(self.signal)


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Turn the first Ctrl-C or SIGTERM of the block into a request, which the block must look at.

    The second one ends the command as usual. In other threads than the main one, which get no
    signals, nothing changes.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def note(number: int, frame: FrameType | None) -> None:
        request.signal = number
        restore()

    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # a signal that is ignored stays ignored
            signal.signal(number, note)
    try:
        yield request
    finally:
        restore()
