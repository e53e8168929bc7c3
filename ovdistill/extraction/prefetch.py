"""Computes the next item of an iterator in a thread while the current one is in use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

import torch

T = TypeVar("T")


def prefetch(items: Iterable[T]) -> Iterator[T]:
    """Yield the items of an iterable, each computed while the one before it is in use.

    torch operations of the thread use one core. With more, they would compete with the encoder,
    which runs in the main thread.
    """
    iterator = iter(items)

    def take() -> list[T]:
        """Return the next item in a list, which is empty at the end."""
        return list(islice(iterator, 1))

    threads = torch.get_num_threads()
    with ThreadPoolExecutor(1) as thread:
        thread.submit(torch.set_num_threads, 1).result()
        torch.set_num_threads(threads)  # torch gives the last number to threads that start later
        coming = thread.submit(take)
        while taken := coming.result():
            coming = thread.submit(take)
            yield from taken
