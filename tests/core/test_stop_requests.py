"""The first signal asks a block to stop, the second one ends it."""

from __future__ import annotations

import signal
import threading

import pytest

from ovdistill.core.stop_requests import stop_requests

pytestmark = pytest.mark.usefixtures("usual_signals")


def test_the_first_signal_is_noted_and_can_be_repeated() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with stop_requests() as stop:
        assert not stop
        signal.raise_signal(signal.SIGINT)
        assert stop and stop.signal == signal.SIGINT
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    with pytest.raises(KeyboardInterrupt):
        stop.repeat()


def test_the_second_signal_ends_the_block() -> None:
    with pytest.raises(KeyboardInterrupt), stop_requests():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)


def test_without_a_signal_nothing_is_repeated() -> None:
    with stop_requests() as stop:
        pass
    stop.repeat()


def test_other_threads_get_no_signals_and_no_errors() -> None:
    seen = []

    def work() -> None:
        with stop_requests() as stop:
            seen.append(bool(stop))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]
