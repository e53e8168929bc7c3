"""Notice when another process of the same command is gone, and end this one too.

NCCL may wait ten minutes for a process that was killed, and ``patient_group`` a week. So a thread
of every process takes part in a small sum of its own, every few seconds. The connections of a
process that dies are closed by its system, which ends the sum of the others at once, whatever their
main threads do or wait for.
"""

from __future__ import annotations

import time
from datetime import timedelta
from threading import Event, Thread

import torch

from ovdistill.core.interrupts import INTERRUPTS

SECONDS_BETWEEN = 2.0
# of a process that still has its connections but does not answer, as on a machine without power
TIME_TO_ANSWER = timedelta(minutes=10)
SECONDS_FOR_OWN_ERROR = 3.0  # the main thread may meet the closed connection itself
LOST = "error: another process of this command has ended; see its message"


class PeerWatch:
    """Watches the other processes of the default group, from a thread.

    Every process of the group must make one, and ``leave`` it when its work is done.
    """

    def __init__(self) -> None:
        group = torch.distributed.new_group(backend="gloo", timeout=TIME_TO_ANSWER)
        assert not isinstance(group, int)  # a number only in processes that are not in the group
        self._group = group
        self._leaving = Event()
        self._thread = Thread(target=self._watch, name="PeerWatch", daemon=True)
        INTERRUPTS.exit_at_once = True  # a thread that waits in gloo does not survive the exit
        self._thread.start()

    def leave(self) -> None:
        """Tell the others that this process ends in order; from now on nobody is watched."""
        self._leaving.set()
        self._thread.join()
        INTERRUPTS.exit_at_once = False

    def _watch(self) -> None:
        while True:
            leaving = torch.tensor(int(self._leaving.wait(SECONDS_BETWEEN)))
            try:
                torch.distributed.all_reduce(leaving, group=self._group)
            except RuntimeError:
                break
            if leaving:
                return
        time.sleep(SECONDS_FOR_OWN_ERROR)
        INTERRUPTS.stop(LOST, 1)
