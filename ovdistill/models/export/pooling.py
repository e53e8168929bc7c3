"""RoIAlign over pyramid levels, as mmdet's ``SingleRoIExtractor`` does it, without branches.

Shapes: N images, R RoIs, C channels, S side of the pooled features.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmdet.models.roi_heads.roi_extractors import SingleRoIExtractor
from torch import Tensor, nn
from torchvision.ops import roi_align


class PyramidPooling(nn.Module):
    """Takes the place of a ``SingleRoIExtractor``.

    Each level pools the RoIs that are of its scale, and the rows are put back into their order. The
    extractor itself asks of every level whether it has any, which a graph cannot.

    Args:
        extractor: averages samples, and takes each RoI from one level.
    """

    def __init__(self, extractor: SingleRoIExtractor) -> None:
        super().__init__()
        self.num_inputs = extractor.num_inputs
        self.layers = list(extractor.roi_layers)
        self.map_roi_levels = extractor.map_roi_levels

    def forward(self, x: Sequence[Tensor], rois: Tensor) -> Tensor:
        """Return the (R, C, S, S) features of (R, 5) RoIs on levels (N, C, H_l, W_l)."""
        level = self.map_roi_levels(rois, len(x))
        rows = [(level == i).nonzero()[:, 0] for i in range(len(x))]
        parts = [
            roi_align(
                features,
                rois[own],
                layer.output_size,
                layer.spatial_scale,
                layer.sampling_ratio,
                layer.aligned,
            )
            for features, own, layer in zip(x, rows, self.layers, strict=True)
        ]
        return torch.cat(parts)[torch.cat(rows).argsort()]
