"""Choose the device that a model runs on, and name it."""

from __future__ import annotations

import torch

from ovdistill.core.errors import UserError


def choose_device(name: str | None = None) -> torch.device:
    """Return the device of this name; without a name the GPU if there is one, else the CPU.

    Args:
        name: 'cpu', 'cuda' or 'cuda:N'.

    Raises:
        UserError: the name is no device, or this machine has no such GPU.
    """
    available = torch.cuda.is_available()
    try:
        device = torch.device(name or ("cuda" if available else "cpu"))
    except RuntimeError as error:
        raise UserError(f"no device {name!r}: expected cpu, cuda or cuda:N") from error
    if device.type == "cuda" and not available:
        raise UserError(f"device {name!r} was asked for, but torch finds no GPU: use --device cpu")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UserError(f"no device {name!r}: torch finds {torch.cuda.device_count()} GPUs")
    return device


def device_name(device: torch.device) -> str:
    """Return what to call a device in a result: 'cpu', or the model of the GPU.

    Args:
        device: one that this machine has.
    """
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
