"""Devices by name, and one clear error for those that are not there."""

from __future__ import annotations

import pytest
import torch

from ovdistill.core.devices import choose_device, device_name
from ovdistill.core.errors import UserError


def test_names(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_device("cpu") == torch.device("cpu")
    with pytest.raises(UserError, match="'fridge'"):
        choose_device("fridge")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device() == torch.device("cpu")
    with pytest.raises(UserError, match="'cuda'"):
        choose_device("cuda")


def test_with_two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose_device() == torch.device("cuda")
    assert choose_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(UserError, match="'cuda:2'"):
        choose_device("cuda:2")


def test_a_gpu_is_called_by_its_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"model {device.index}")
    assert device_name(torch.device("cuda:1")) == "model 1"
    assert device_name(torch.device("cpu")) == "cpu"
