"""Batch normalisation with fixed statistics, for any number of rows."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


class FrozenNorm(nn.Module):
    """Does in a product and a sum what batch normalisation does in eval mode.

    torch's own asks whether there are any rows, which a graph for export cannot answer.

    Args:
        norm: with statistics, and of C channels.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, norm: _BatchNorm) -> None:
        super().__init__()
        mean, variance = norm.running_mean, norm.running_var
        assert mean is not None and variance is not None  # its class says so
        scale = (variance + norm.eps).rsqrt()
        shift = -mean * scale
        if norm.affine:
            scale, shift = scale * norm.weight, shift * norm.weight + norm.bias
        self.register_buffer("scale", scale.detach())
        self.register_buffer("shift", shift.detach())

    def forward(self, x: Tensor) -> Tensor:
        """Return (R, C, ...) features normalised."""
        shape = (1, -1, *(1,) * (x.dim() - 2))
        return x * self.scale.view(shape) + self.shift.view(shape)


def freeze_norms(module: nn.Module) -> None:
    """Put a ``FrozenNorm`` in the place of every batch normalisation in a module."""
    for name, child in module.named_children():
        if isinstance(child, _BatchNorm):
            setattr(module, name, FrozenNorm(child))
        else:
            freeze_norms(child)
