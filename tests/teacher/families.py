"""Small open_clip models of every family, with random weights that differ from their initial ones.

Initial weights hide mistakes: biases, norms and layer scales are 0 or 1 there.
"""

from __future__ import annotations

from typing import Any

import open_clip
import torch
from torch import nn

TEXT = {"context_length": 16, "vocab_size": 64, "width": 16, "heads": 2, "layers": 1}
VIT = {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "patch_size": 8}


def _timm(name: str, pool: str, proj: str | None, size: int) -> dict[str, Any]:
    """Return the configuration of a timm trunk."""
    return dict(timm_model_name=name, timm_pool=pool, timm_proj=proj, image_size=size)


# by family: the image tower as in open_clip's configurations of that family, but smaller
TOWERS: dict[str, dict[str, Any]] = {
    "vit": VIT,
    "vit-custom": VIT | dict(block_type="custom", qk_norm=True, scale_attn_inner=True),
    "clipa": VIT | dict(pool_type="avg", final_ln_after_pool=True, no_ln_pre=True),
    "vit-average": VIT | dict(pool_type="avg"),
    "coca": VIT | dict(attentional_pool=True, attn_pooler_queries=4, attn_pooler_heads=2),
    "resnet": dict(image_size=64, layers=[1, 1, 1, 1], width=8, head_width=16, patch_size=None),
    "convnext": _timm("test_convnext", "", "linear", 64),
    "convnext-mlp": _timm("test_convnext", "", "mlp", 64),
    "mobileclip": _timm("fastvit_mci0", "avg", None, 64),
    "mobileclip-b": _timm("test_vit", "token", None, 160),
    "siglip": _timm("test_vit3", "map", "none", 160) | {"width": 96},
    "pe-core": _timm("vit_pe_core_tiny_patch16_384", "map", None, 384),
    "eva": _timm("eva02_tiny_patch14_224", "token", None, 224),
    "gap": _timm("test_vit2", "", "linear", 160),
    "swin": _timm("swin_tiny_patch4_window7_224", "", "linear", 224),
}


def small_model(family: str, **changes: Any) -> Any:
    """Return an open_clip model of a family in evaluation mode.

    Args:
        family: a key of ``TOWERS``.
        changes: other values of its configuration.
    """
    tower = TOWERS[family] | changes
    torch.manual_seed(0)
    width = tower.get("width", 24) if tower.get("timm_proj") == "none" else 24
    model = open_clip.model.CustomTextCLIP(width, tower, TEXT).eval()
    scramble(model.visual)
    return model


def scramble(module: nn.Module) -> None:
    """Move every parameter and statistic of a module away from its initial value."""
    with torch.no_grad():
        for value in module.parameters():
            spread = value.std() if value.numel() > 1 else value.new_tensor(0.0)
            value.add_(torch.randn_like(value) * max(0.1, float(spread)) * 0.5)
        for layer in module.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.running_mean.normal_(std=0.1)
                layer.running_var.uniform_(0.5, 1.5)
