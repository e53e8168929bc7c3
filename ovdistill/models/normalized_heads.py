"""Heads with normalisation after every layer, as in ViLD's released detector.

mmdet's heads have it after some of their convolutions only. Source: the released TPU code
(models/official/detection/modeling/architecture/heads.py and projects/vild/modeling/vild_head.py of
github.com/tensorflow/tpu).
"""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from mmcv.cnn import build_norm_layer
from mmdet.models.dense_heads import RPNHead
from mmdet.models.roi_heads.bbox_heads import ConvFCBBoxHead
from mmdet.models.roi_heads.mask_heads import FCNMaskHead
from mmdet.models.utils import multi_apply
from mmdet.registry import MODELS
from mmdet.utils import ConfigType
from torch import Tensor, nn


@MODELS.register_module()
class NormRPNHead(RPNHead):
    """mmdet's RPN head with normalisation after its convolutions.

    The levels share the convolutions, but each has normalisation layers of its own: their
    statistics differ.

    Args:
        *args: as for mmdet's ``RPNHead``.
        norm_cfg: config of the normalisation layers.
        **kwargs: as for mmdet's ``RPNHead``.
    """

    def __init__(self, *args: Any, norm_cfg: ConfigType, **kwargs: Any) -> None:
        self.norm_cfg = norm_cfg
        super().__init__(*args, **kwargs)

    def _init_layers(self) -> None:
        """Build mmdet's layers, with convolutions that a normalisation can follow."""
        super()._init_layers()
        inputs = [self.in_channels] + [self.feat_channels] * (self.num_convs - 1)
        self.rpn_conv = nn.ModuleList(
            nn.Conv2d(channels, self.feat_channels, 3, padding=1, bias=False) for channels in inputs
        )
        self.rpn_norms = nn.ModuleList(
            nn.ModuleList(build_norm_layer(self.norm_cfg, self.feat_channels)[1] for _ in inputs)
            for _ in range(self.prior_generator.num_levels)
        )

    def forward(self, x: tuple[Tensor, ...]) -> tuple[list[Tensor], list[Tensor]]:
        """Return scores (N, A, H_l, W_l) and box deltas (N, 4 A, H_l, W_l) of A anchors a cell.

        Args:
            x: pyramid levels, each (N, C, H_l, W_l).
        """
        return multi_apply(self.forward_single, x, self.rpn_norms)

    def forward_single(self, x: Tensor, norms: nn.ModuleList) -> tuple[Tensor, Tensor]:
        """Return scores and box deltas of one level.

        Args:
            x: (N, C, H, W).
            norms: the normalisation layers of this level, one for each convolution.
        """
        for convolution, norm in zip(self.rpn_conv, norms, strict=True):
            x = F.relu(norm(convolution(x)))
        return self.rpn_cls(x), self.rpn_reg(x)


class RowBatchNorm(nn.BatchNorm1d):
    """Batch normalisation of rows that takes a single row too, by its running statistics.

    torch raises an error for it. An image head may get a single distillation region.
    """

    def forward(self, rows: Tensor) -> Tensor:
        """Return the (R, C) normalised rows."""
        if self.training and len(rows) == 1:
            statistics = (self.running_mean, self.running_var)
            return F.batch_norm(rows, *statistics, self.weight, self.bias, eps=self.eps)
        return super().forward(rows)


def row_norm(norm_cfg: ConfigType, features: int) -> nn.Module:
    """Build the normalisation layer of a config for (R, C) rows; C is ``features``."""
    if norm_cfg["type"] != "BN":
        return build_norm_layer(norm_cfg, features)[1]
    options = {key: value for key, value in norm_cfg.items() if key != "type"}
    requires_grad = options.pop("requires_grad", True)
    return RowBatchNorm(features, **options).requires_grad_(requires_grad)


@MODELS.register_module()
class NormBoxHead(ConvFCBBoxHead):
    """mmdet's box head of convolutions and linear layers, with normalisation after both.

    Args:
        *args: as for mmdet's ``ConvFCBBoxHead``.
        norm_cfg: config of the normalisation layers.
        **kwargs: as for mmdet's ``ConvFCBBoxHead``, without ``init_cfg``.
    """

    def __init__(self, *args: Any, norm_cfg: ConfigType, **kwargs: Any) -> None:
        # mmdet's own would set weights of normalisation layers as if they were matrices
        init_cfg: list[dict[str, Any]] = [
            dict(type="Xavier", layer="Linear", distribution="uniform")
        ]
        if kwargs.get("with_reg", True):
            init_cfg += [dict(type="Normal", std=0.001, override=dict(name="fc_reg"))]
        super().__init__(*args, norm_cfg=norm_cfg, init_cfg=init_cfg, **kwargs)

    def _add_conv_fc_branch(
        self, *args: Any, **kwargs: Any
    ) -> tuple[nn.ModuleList, nn.ModuleList, int]:
        """Build a branch as mmdet does, with normalisation after each linear layer."""
        convolutions, layers, features = super()._add_conv_fc_branch(*args, **kwargs)
        normalized = nn.ModuleList(
            nn.Sequential(layer, row_norm(self.norm_cfg, layer.out_features)) for layer in layers
        )
        return convolutions, normalized, features


@MODELS.register_module()
class NormMaskHead(FCNMaskHead):
    """mmdet's mask head with normalisation after its deconvolution, too.

    Args:
        *args: as for mmdet's ``FCNMaskHead``, whose ``upsample_cfg`` must be the deconvolution.
        norm_cfg: config of the normalisation layers.
        **kwargs: as for mmdet's ``FCNMaskHead``.
    """

    def __init__(self, *args: Any, norm_cfg: ConfigType, **kwargs: Any) -> None:
        super().__init__(*args, norm_cfg=norm_cfg, **kwargs)
        self.upsample_norm = build_norm_layer(norm_cfg, self.conv_out_channels)[1]

    def forward(self, x: Tensor) -> Tensor:
        """Return the (R, 1 or W, 2 H, 2 W) mask logits of (R, C, H, W) RoI features."""
        for convolution in self.convs:
            x = convolution(x)
        return self.conv_logits(self.relu(self.upsample_norm(self.upsample(x))))
