"""Runs a job for many indices in several processes, and yields the results in order."""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Callable, Generator
from multiprocessing.connection import Connection
from typing import Any

import cv2

from ovdistill.core.interrupts import held_interrupts


def map_in_order(job: Callable[[int], Any], count: int, workers: int) -> Generator[Any, None, None]:
    """Yield ``job(0)`` to ``job(count - 1)`` in this order; close the generator to stop early.

    Worker k takes every ``workers``-th index and sends its results through a pipe of its own.
    Unlike the pools of the standard library, this ends at once on Ctrl-C and on a lost worker.

    Args:
        job: a function that can be pickled; with one worker, it runs in this process.
        count: number of indices.
        workers: number of processes.

    Raises:
        RuntimeError: a worker ended before its work was done.
        Exception: what the job has raised, whichever process it ran in.
    """
    if workers == 1:
        yield from map(job, range(count))
        return
    # spawned, since a fork of a process with threads of torch or cv2 may hang
    context = multiprocessing.get_context("spawn")
    readers, processes = [], []
    try:
        for k in range(min(workers, count)):
            reader, writer = context.Pipe(duplex=False)
            indices = range(k, count, workers)
            process = context.Process(target=_work, args=(job, indices, writer), daemon=True)
            with held_interrupts():  # else Ctrl-C would meet its imports
                process.start()
            writer.close()  # only the worker has it now, so the pipe ends when the worker does
            readers.append(reader)
            processes.append(process)
        for index in range(count):
            try:
                result, error, trace = readers[index % workers].recv()
            except EOFError:
                raise RuntimeError(f"a worker ended before it was done with {index}") from None
            if error is not None:
                raise error from RuntimeError(f"in a worker:\n{trace}")
            yield result
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join()


def _work(job: Callable[[int], Any], indices: range, writer: Connection) -> None:
    cv2.setNumThreads(1)
    for index in indices:
        try:
            result = job(index)
        except Exception as error:
            writer.send((None, error, traceback.format_exc()))  # a pickled error has lost its own
            return
        writer.send((result, None, ""))
