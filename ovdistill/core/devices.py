"""Which device a model runs on."""

from __future__ import annotations

import torch

from ovdistill.core.errors import UserError


def choose_device(name: str | None = None) -> torch.device:
    """Return the device of this name, or a GPU if there is one and no name is given.

    Raises:
        UserError: no such device.
    """
    available = torch.cuda.is_available()
    try:
        device = torch.device(name or ("cuda" if available else "cpu"))
    except RuntimeError as error:
        raise UserError(f"no device {name!r}: expected cpu, cuda or cuda:N") from error
    if device.type == "cuda" and not available:
        raise UserError(f"device {name!r} was asked for, but torch finds no GPU: use --device cpu")
    return device
