"""Dense features of open_clip's image towers, in the space of the texts, with gradients.

An image tower pools its last feature map to one embedding. Here every position is treated as if it
were alone in that pooling, so that it gets an embedding of its own:

========================  ======================================================================
image tower               a position's feature
========================  ======================================================================
ViT read at its class     MaskCLIP (Zhou et al., arXiv 2112.01071): in the last block each token
token (CLIP, EVA-02,      attends to itself alone, which leaves the value and output projections
MobileCLIP-B)             of its attention; then norm and projection
ViT that is averaged      all blocks as they are; norm and projection at each position. Without a
(CLIPA, vit_*_gap)        norm behind the average, the mean of the map is the image's embedding
ViT with attentional      all blocks as they are; value and output projections of the pooling,
pooling (SigLIP, PE-      and its MLP; then norm and projection
Core, CoCa)
ModifiedResNet (RN50)     value and output projections of the attention pool as 1x1 convolutions,
                          without its position embeddings (MaskCLIP)
ConvNeXt, FastViT of      the last feature map; the trunk's norm, head and projection at each
MobileCLIP, ViTamin,      position. Without a norm behind the average, the mean of the map is the
Swin and other trunks     image's embedding
========================  ======================================================================

Position embeddings are interpolated to the input's size, rotary ones computed for it.

Shapes: n images, D embedding width, C width of the tower, h x w positions, L tokens.
"""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from open_clip.modified_resnet import ModifiedResNet
from open_clip.timm_model import TimmModel
from open_clip.transformer import VisionTransformer
from torch import Tensor, cat, nn

from ovdistill.core.errors import UserError
from ovdistill.teacher.dense_regions import DenseBatch, pool_boxes
from ovdistill.teacher.dense_timm import dense_trunk, trunk_stride
from ovdistill.teacher.self_attention import attend_to_itself
from ovdistill.teacher.stages import embed_after_stage

RESNET_STRIDE = 32


def dense_features(model: Any, pixels: Tensor) -> Tensor:
    """Return the dense features of images, of any size that is a multiple of the tower's stride.

    Args:
        model: an open_clip model, whose classes publish no types.
        pixels: (n, 3, H, W) normalised, of the tower's dtype.

    Returns:
        (n, D, h, w) raw (not unit norm), h = H / stride and w = W / stride.

    Raises:
        UserError: a size that is no multiple of the stride or that the tower cannot take, or an
            image tower of an unknown kind.
    """
    stride = dense_stride(model)
    height, width = pixels.shape[2:]
    if height % stride or width % stride or not pixels[0, 0].numel():
        raise UserError(
            f"an image of {height} x {width} pixels for dense features; expected multiples of the "
            f"tower's stride {stride}"
        )
    visual = model.visual
    if isinstance(visual, VisionTransformer):
        return _dense_vit(visual, pixels)
    if isinstance(visual, ModifiedResNet):
        return _dense_resnet(visual, pixels)
    return dense_trunk(visual, pixels)


def embed_regions(model: Any, pixels: Tensor, batch: DenseBatch, size: int) -> Tensor:
    """Return the embeddings of regions from dense features, or after a stage of the tower.

    Args:
        model: an open_clip model.
        pixels: the images of ``batch``, normalised, of the tower's dtype.
        batch: regions, and the stage that they share.
        size: side of the teacher's input in pixels.

    Returns:
        (P, D) float32, unit norm; P regions of all images, in order.

    Raises:
        UserError: see ``dense_features`` and ``embed_after_stage``.
    """
    if batch.stage is not None:
        after = embed_after_stage(model, pixels, batch.boxes, batch.stage, size)
        return F.normalize(after.float(), dim=1)
    features = F.normalize(dense_features(model, pixels).float(), dim=1)
    return pool_boxes(features, batch.boxes, dense_stride(model))


def dense_stride(model: Any) -> int:
    """Return the side of the square of pixels that a position of the dense features stands for.

    Args:
        model: an open_clip model.

    Raises:
        UserError: an image tower of an unknown kind.
    """
    visual = model.visual
    if isinstance(visual, VisionTransformer):
        return int(visual.patch_size[0])
    if isinstance(visual, ModifiedResNet):
        return RESNET_STRIDE
    if isinstance(visual, TimmModel):
        return trunk_stride(visual.trunk)
    raise UserError(
        f"no dense features for an image tower {type(visual).__name__}; expected one of open_clip: "
        "VisionTransformer, ModifiedResNet or TimmModel"
    )


def _dense_vit(visual: VisionTransformer, pixels: Tensor) -> Tensor:
    """Return (n, D, h, w) of open_clip's own ViT, see the table."""
    if getattr(visual, "attn_pool_contrastive", None) is not None:
        raise UserError(
            "no dense features for an image tower with two attentional poolings "
            f"({visual.attn_pool_type!r}); expected attentional_pool true or false"
        )
    patches = visual.conv1(pixels)
    grid = patches.shape[2:]
    tokens = patches.flatten(2).transpose(1, 2)
    first = visual.class_embedding.to(tokens.dtype).expand(len(tokens), 1, -1)
    position = _resized_positions(visual.positional_embedding, visual.grid_size, grid)
    hidden = visual.ln_pre(cat([first, tokens], dim=1) + position.to(tokens.dtype))
    if visual.attn_pool is None and visual.pool_type == "tok":
        with attend_to_itself(visual.transformer.resblocks[-1]):
            hidden = visual.transformer(hidden)[:, 1:]
    else:
        hidden = visual.transformer(hidden)[:, 1:]
    if visual.attn_pool is not None:
        hidden = _values(visual.attn_pool.attn, visual.attn_pool.ln_k(hidden))
    hidden = visual.ln_post(hidden)
    if visual.proj is not None:
        hidden = hidden @ visual.proj
    return hidden.transpose(1, 2).unflatten(2, grid)


def _dense_resnet(visual: ModifiedResNet, pixels: Tensor) -> Tensor:
    """Return (n, D, h, w) of open_clip's ResNet, see the table."""
    hidden = visual.stem(pixels)
    for layer in (visual.layer1, visual.layer2, visual.layer3, visual.layer4):
        hidden = layer(hidden)
    pool = visual.attnpool
    for projection in (pool.v_proj, pool.c_proj):
        hidden = F.conv2d(hidden, projection.weight[:, :, None, None], projection.bias)
    return hidden


def _values(attention: nn.MultiheadAttention, hidden: Tensor) -> Tensor:
    """Return what attention gives to any query whose one key and value is a token, (n, L, C)."""
    width = attention.embed_dim
    weight = attention.v_proj_weight
    if weight is None:  # queries, keys and values of one width share a parameter
        weight = attention.in_proj_weight[2 * width :]
    bias = None if attention.in_proj_bias is None else attention.in_proj_bias[2 * width :]
    return attention.out_proj(F.linear(hidden, weight, bias))


def _resized_positions(positions: Tensor, grid: tuple[int, int], new: tuple[int, int]) -> Tensor:
    """Return position embeddings for another grid, as open_clip resizes those of its weights.

    Args:
        positions: (1 + h * w, C), the class token's first.
        grid: h, w.
        new: h, w of the returned ones.
    """
    if tuple(grid) == tuple(new):
        return positions
    first, rest = positions[:1], positions[1:].T.unflatten(1, grid)[None]
    resized = F.interpolate(rest.float(), size=new, mode="bicubic", antialias=True)
    return cat([first, resized[0].flatten(1).T.to(first.dtype)])
