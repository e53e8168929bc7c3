"""Give the neck of a model the numbers of channels that its backbone has.

``neck=dict(in_channels="auto")`` stands for them, whatever the backbone: it is built and shown an
image of zeros. The strides of anchors and RoI features are compared with those of the feature maps,
which nothing else would notice: boxes would be in the wrong places.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

import torch

from ovdistill.core.errors import UserError

AUTO = "auto"
STRIDES = (
    "rpn_head.anchor_generator.strides",
    "bbox_head.anchor_generator.strides",
    "roi_head.bbox_roi_extractor.featmap_strides",
    "roi_head.mask_roi_extractor.featmap_strides",
)
PROBE = (128, 192)  # height and width of the image, in pixels


def fit_neck(model: Any) -> None:
    """Replace ``in_channels="auto"`` of a model's neck, in place; check the strides.

    Args:
        model: config of a model; nothing is done for one without backbone and neck. Numbers that
            are given are checked for ``TimmBackbone`` alone.

    Raises:
        UserError: numbers of channels, or strides of anchors or RoI features, are not those of the
            backbone's feature maps.
    """
    if not isinstance(model, MutableMapping):
        return
    backbone, neck = model.get("backbone"), model.get("neck")
    if not isinstance(backbone, Mapping) or not isinstance(neck, MutableMapping):
        return
    given = neck.get("in_channels")
    if given != AUTO and backbone.get("type") != "TimmBackbone":
        return
    channels, strides = probe_backbone(backbone)
    if given == AUTO:
        neck["in_channels"] = channels
    elif list(given or ()) != channels:
        raise UserError(
            f"got model.neck.in_channels={given}; the feature maps of the backbone have {channels} "
            f'channels. Write these, or "{AUTO}".'
        )
    _check_strides(model, strides[neck.get("start_level", 0) :])


def probe_backbone(backbone: Mapping[str, Any]) -> tuple[list[int], list[int]]:
    """Return channels and stride of each feature map of a backbone.

    Args:
        backbone: its config; no weights are loaded.
    """
    from mmdet.registry import MODELS  # takes seconds, and few configs need it

    with torch.random.fork_rng(devices=[]), torch.no_grad():  # a seed set before stays in force
        built = MODELS.build(dict(backbone))
        built.eval()  # does not always return the network
        maps = built(torch.zeros(1, 3, *PROBE))
    return [each.shape[1] for each in maps], [PROBE[0] // each.shape[2] for each in maps]


def _check_strides(model: Mapping[str, Any], strides: Sequence[int]) -> None:
    """Raise UserError unless anchors and RoI features have the strides of the feature maps."""
    for path in STRIDES:
        given: Any = model
        for name in path.split("."):
            given = given.get(name) if isinstance(given, Mapping) else None
        if given and any(a != b for a, b in zip(given, strides, strict=False)):
            raise UserError(
                f"got model.{path}={list(given)}; the feature maps of the backbone have strides "
                f"{list(strides)}. Expected the same, from the first on."
            )
