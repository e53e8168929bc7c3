"""Settings and fixtures of all tests: offline, one thread, fixed seeds."""

from __future__ import annotations

import os

# Set before anything imports huggingface_hub or matplotlib, which read them once.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["MPLBACKEND"] = "Agg"

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from ovdistill.core import mmcv_ops

torch.set_num_threads(1)
mmcv_ops.install()  # tests may import mmdet in any order


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Every test starts from the same random state, whatever ran before it."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


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
