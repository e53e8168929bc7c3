"""The devices, and the operations of mmcv that run on them."""

from __future__ import annotations

import pytest

from ovdistill.commands.doctor.finding import NOTE, OK, PROBLEM
from ovdistill.commands.doctor.hardware import check_devices, check_operations


def test_devices(broken: dict[str, Exception]) -> None:
    assert check_devices().status in (OK, NOTE)
    broken["torch"] = ImportError("no torch")
    assert check_devices().status == NOTE


def test_wrong_operations_are_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    from ovdistill.core import mmcv_ops

    mmcv_ops.install()
    import mmcv.ops
    import torch

    monkeypatch.setattr(
        mmcv.ops, "nms", lambda boxes, scores, threshold: (boxes, torch.tensor([0, 1]))
    )
    check = check_operations()
    assert check.status == PROBLEM and "expected [0]" in check.detail
