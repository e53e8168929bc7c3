"""Batch normalisation that takes its statistics from the batches of all processes."""

from __future__ import annotations

from mmengine.model import convert_sync_batchnorm
from torch import nn

from ovdistill.core.errors import UserError


def synchronize_norms(model: nn.Module, kind: str) -> nn.Module:
    """Return a model with synchronous layers in place of its batch normalisation.

    In a network of timm such a layer may apply the activation too, which mmengine's conversion
    loses without a word.

    Args:
        model: changed in place.
        kind: 'torch' or 'mmcv', whose layer it is.

    Raises:
        UserError: another kind, or mmcv's for a network of timm.
    """
    from timm.layers import BatchNormAct2d  # takes a second, and few trainings need it
    from timm.layers import convert_sync_batchnorm as convert_with_activations

    if kind == "torch":
        return convert_with_activations(model)  # does the same as mmengine's to all other layers
    if kind != "mmcv":
        raise UserError(f"got sync_bn={kind!r}; expected 'torch', 'mmcv' or None")
    if any(isinstance(module, BatchNormAct2d) for module in model.modules()):
        raise UserError(
            "got sync_bn='mmcv' for a network of timm, whose batch normalisation has activations "
            "in it that mmcv's lacks; expected sync_bn='torch': --cfg-options sync_bn=torch"
        )
    return convert_sync_batchnorm(model, kind)
