"""Computes the next items of an iterator in a thread while one is in use. Imports no torch.

``extraction.prefetch`` does so too, with one core for what torch computes in its thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def run_ahead(items: Iterable[T], count: int = 1) -> Generator[T, None, None]:
    """Yield the items of an iterable, of which the next ones are computed while one is in use.

    An error is raised where its item would come. Who closes the iterator waits for the one item
    that is being computed.

    Args:
        items: are computed one after another, in one thread.
        count: how many are computed ahead.
    """
    iterator = iter(items)

    def take() -> list[T]:
        """Return the next item in a list, which is empty at the end."""
        return list(islice(iterator, 1))

    thread = ThreadPoolExecutor(1)
    try:
        coming = deque(thread.submit(take) for _ in range(count))
        while taken := coming.popleft().result():
            coming.append(thread.submit(take))
            yield from taken
    finally:
        thread.shutdown(cancel_futures=True)
