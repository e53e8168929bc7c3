"""Making the next item in a thread while the last one is in use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

T = TypeVar("T")


def prefetch(items: Iterable[T]) -> Iterator[T]:
    """Yield the items, each made in a thread while the one before it is in use.

    The thread has one core: with a team of its own it would take turns with the encoder's.
    """
    end = object()
    iterator = iter(items)
    threads = torch.get_num_threads()
    with ThreadPoolExecutor(1) as thread:
        thread.submit(torch.set_num_threads, 1).result()
        torch.set_num_threads(threads)  # torch keeps the last number for threads that begin later
        coming = thread.submit(next, iterator, end)
        while (item := coming.result()) is not end:
            coming = thread.submit(next, iterator, end)
            yield item  # type: ignore[misc]
