"""`benchmarks/kinds.py`: which detections count as right."""

import numpy as np

from benchmarks.kinds import count_right


def boxes(*left: float) -> np.ndarray:
    return np.array([[x, 0, x + 10, 10] for x in left], dtype=np.float32).reshape(-1, 4)


def test_each_object_is_found_once() -> None:
    assert count_right(boxes(), boxes(0)) == count_right(boxes(0), boxes()) == 0
    assert count_right(boxes(0, 1, 50), boxes(0)) == 1
    assert count_right(boxes(2, 0), boxes(1, 4)) == 1  # the first takes what fits the second
    assert count_right(boxes(3, 0), boxes(1, 4)) == 2
