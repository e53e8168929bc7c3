"""Dense features of timm's image trunks in open_clip, see ``dense``.

timm's heads pool, normalise and project. Each position goes through its trunk's head as an image of
one position, in which every kind of pooling is the identity or, for attentional pooling, its value
and output projections. So one rule serves all trunks.

Shapes: n images, D embedding width, C width of the trunk, h x w positions, L tokens.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from open_clip.timm_model import TimmModel
from timm.layers import Format
from timm.models.vision_transformer_relpos import VisionTransformerRelPos
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.teacher.self_attention import attend_to_itself


def dense_trunk(visual: TimmModel, pixels: Tensor) -> Tensor:
    """Return the dense features of a timm trunk with open_clip's projection behind it.

    Args:
        visual: the image tower.
        pixels: (n, 3, H, W) normalised, of the tower's dtype; H and W are multiples of the stride.

    Returns:
        (n, D, h, w) raw.

    Raises:
        UserError: a size that the trunk cannot take, relative position embeddings, or a pooling
            outside of the trunk.
    """
    trunk = visual.trunk
    if hasattr(visual.head, "pool") or isinstance(trunk, VisionTransformerRelPos):
        raise UserError(
            f"no dense features for timm's {type(trunk).__name__}, pooled by "
            f"{'open_clip' if hasattr(visual.head, 'pool') else 'timm'}; expected a trunk without "
            "relative position embeddings, and timm_pool 'avg', 'token' or 'map'"
        )
    size = pixels.shape[2], pixels.shape[3]
    with ExitStack() as stack:
        stack.enter_context(_accept_size(trunk, size))
        if getattr(trunk, "global_pool", None) == "token":
            stack.enter_context(attend_to_itself(trunk.blocks[-1]))
        hidden = trunk.forward_features(pixels)
    single, grid = _single_positions(trunk, hidden, size)
    embedded = visual.head(trunk.forward_head(single))
    return embedded.unflatten(0, (len(pixels), *grid)).permute(0, 3, 1, 2)


def trunk_stride(trunk: Any) -> int:
    """Return the pixels of an image, along each axis, of a position of a timm trunk's last map."""
    if hasattr(trunk, "patch_embed") and hasattr(trunk, "blocks"):
        return int(trunk.patch_embed.feat_ratio())
    return int(trunk.feature_info[-1]["reduction"])


def _single_positions(
    trunk: Any, hidden: Tensor, size: tuple[int, int]
) -> tuple[Tensor, tuple[int, int]]:
    """Return every position as an image of its own, as the trunk's head takes it, and h, w.

    Args:
        trunk: the trunk.
        hidden: its features, (n, C, h, w), (n, h, w, C) or tokens (n, L, C).
        size: H, W of the pixels.

    Returns:
        (n * h * w, C, 1, 1), (n * h * w, 1, 1, C) or (n * h * w, 1 + prefix tokens, C), where the
        position takes the place of the prefix tokens too; h, w.
    """
    if hidden.ndim == 3:
        prefix = trunk.num_prefix_tokens
        tokens = hidden[:, prefix:].flatten(0, 1)
        height, width = trunk.patch_embed.dynamic_feat_size(size)
        return tokens[:, None].expand(-1, 1 + prefix, -1), (height, width)
    if getattr(trunk, "output_fmt", "NCHW") == "NHWC":
        return hidden.flatten(0, 2)[:, None, None], (hidden.shape[1], hidden.shape[2])
    flat = hidden.permute(0, 2, 3, 1).flatten(0, 2)
    return flat[:, :, None, None], (hidden.shape[2], hidden.shape[3])


@contextmanager
def _accept_size(trunk: Any, size: tuple[int, int]) -> Iterator[None]:
    """Let a trunk take images of a size (H, W) within the context; weights stay as they are.

    timm's transformers check the size unless they were built with ``dynamic_img_size``, which
    open_clip does not ask for. The attributes that the argument sets are set here instead.

    Raises:
        UserError: the trunk's weights are of one size only.
    """
    embed = getattr(trunk, "patch_embed", None)
    if embed is None or tuple(embed.img_size) == tuple(size):
        yield
        return
    if not hasattr(trunk, "dynamic_img_size"):
        raise UserError(
            f"dense features of {size[0]} x {size[1]} pixels: image tower {type(trunk).__name__} "
            f"takes {embed.img_size[0]} x {embed.img_size[1]} only"
        )
    with ExitStack() as stack:
        stack.enter_context(_attributes(embed, strict_img_size=False))
        windows = [module for module in trunk.modules() if hasattr(module, "dynamic_mask")]
        for module in windows:  # of Swin
            stack.enter_context(_attributes(module, dynamic_mask=True))
        if not windows:
            stack.enter_context(_attributes(trunk, dynamic_img_size=True))
            stack.enter_context(_attributes(embed, flatten=False, output_fmt=Format.NHWC))
        rope = getattr(trunk, "rope", None)
        if rope is not None:
            kept = dict(rope.named_buffers(recurse=False))
            stack.enter_context(_attributes(rope, feat_shape=rope.feat_shape, **kept))
            rope.update_feat_shape(embed.dynamic_feat_size(size))
        yield


@contextmanager
def _attributes(module: Any, **values: Any) -> Iterator[None]:
    """Set attributes of a module within the context."""
    before = {name: getattr(module, name) for name in values}
    try:
        for name, value in values.items():
            setattr(module, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(module, name, value)
