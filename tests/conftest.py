"""Settings and fixtures of all tests: offline, one thread, fixed seeds."""

from __future__ import annotations

import os

# Set before anything imports huggingface_hub or matplotlib, which read them once.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["MPLBACKEND"] = "Agg"

import random
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from ovdistill.core import mmcv_ops

torch.set_num_threads(1)
mmcv_ops.install()  # tests may import mmdet in any order


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files of many slow tests, lest one worker is left with such a file."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Every test starts from the same random state, whatever ran before it."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


@pytest.fixture
def usual_signals() -> Iterator[None]:
    """Python's own handlers, for tests that send signals to themselves.

    Those of ``ovdistill.__main__``, which other tests import, would end the whole process.
    """
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real photos and text embeddings named by OVDISTILL_REAL_DATA, else a skip."""
    folder = os.environ.get("OVDISTILL_REAL_DATA")
    if not folder:
        pytest.skip("needs real data: set OVDISTILL_REAL_DATA to its folder")
    path = Path(folder)
    if not path.is_dir():
        pytest.fail(f"OVDISTILL_REAL_DATA names {path}, which is no folder")
    return path
