"""Items that a thread computes ahead of their use."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest

from ovdistill.core.images import ImageError
from ovdistill.inference.detections import Detections
from ovdistill.inference.image_stream import look_at_images
from ovdistill.inference.run_ahead import run_ahead
from ovdistill.inference.sources import ImageSource

SECONDS = 20  # for another thread, on a machine that is busy


@pytest.mark.parametrize("count", [1, 3])
def test_items_and_errors_are_handed_on_in_order(count: int) -> None:
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise KeyError("third")

    made = run_ahead(items(), count)
    assert [next(made), next(made)] == [1, 2]
    with pytest.raises(KeyError, match="third"):
        next(made)
    assert list(run_ahead([], count)) == []
    assert list(run_ahead(range(7), count)) == list(range(7))


def test_the_next_items_are_computed_while_one_is_in_use() -> None:
    computed = [threading.Event() for _ in range(6)]

    def items() -> Iterator[int]:
        for number, event in enumerate(computed):
            event.set()
            yield number

    made = run_ahead(items(), 2)
    assert next(made) == 0
    assert computed[2].wait(SECONDS) and not computed[3].wait(0.2)
    made.close()
    assert not computed[3].is_set()


def test_an_image_is_read_while_the_one_before_is_looked_at() -> None:
    read = threading.Event()

    def load(number: int) -> np.ndarray:
        if number == 1:
            raise ImageError("1", "damaged")
        if number == 2:
            read.set()
        return np.full((2, 2, 3), number, np.uint8)

    def look(images: list[np.ndarray]) -> list[Detections]:
        assert read.wait(SECONDS)
        empty = np.zeros(0, np.float32)
        return [Detections(np.zeros((0, 4), np.float32), empty, empty, ()) for _ in images]

    sources = [ImageSource(str(n), None, partial(load, n)) for n in range(4)]
    found = [(source.name, one) for source, one in look_at_images(sources, look, 2)]
    assert [name for name, _ in found] == ["0", "1", "2", "3"]
    assert isinstance(found[1][1], ImageError)
    assert [int(one.image[0, 0, 0]) for _, one in found if isinstance(one, Detections)] == [0, 2, 3]
