"""Any network of timm as the backbone of a detector, by its name.

timm is installed with open_clip. Shapes: N images; a feature map of stride s is
(N, C_s, H / s, W / s).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from mmengine.runner import CheckpointLoader
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ovdistill.core.checkpoints import weights_of
from ovdistill.core.errors import UserError
from ovdistill.models.timm_network import (
    build_network,
    count_taken,
    feature_maps,
    upstream_parameters,
)

LOGGER = logging.getLogger(__name__)


@MODELS.register_module()
class TimmBackbone(BaseModule):
    """A network of timm that returns feature maps of given strides.

    The neck takes their channels with ``in_channels="auto"`` (see ``models.neck_channels``).

    Args:
        model_name: a model of timm that returns feature maps, such as 'resnet18' or
            'mobilenetv4_conv_small'.
        strides: of the feature maps to return, ascending; those of the anchors.
        frozen_stride: layers up to the feature map of this stride are not trained: 2 is the stem,
            4 the first stage too; 0 trains all.
        norm_eval: keep the statistics of batch normalisation as they are, as small batches need.
            Frozen layers always keep them.
        channels_last: keep the convolution weights, and so the feature maps, channels last in
            memory. ``OpenVocabularyRCNN`` has an option of its own for the whole detector.
        options: further arguments of ``timm.create_model``, such as ``drop_path_rate``.
        init_cfg: None (random weights), or ``dict(type="Pretrained", checkpoint=...)`` with weights
            that fit timm's model: a file, an address, or ``timm://NAME``. They are read when a
            training starts, never when a detector is built.

    Raises:
        UserError: no such model, a stride that it does not have, arguments that do not fit it, or
            another ``init_cfg``.
    """

    def __init__(
        self,
        model_name: str,
        strides: Sequence[int] = (4, 8, 16, 32),
        *,
        frozen_stride: int = 0,
        norm_eval: bool = False,
        channels_last: bool = False,
        options: Mapping[str, Any] | None = None,
        init_cfg: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if init_cfg and not (init_cfg.get("type") == "Pretrained" and init_cfg.get("checkpoint")):
            raise UserError(
                f"got init_cfg={init_cfg} of TimmBackbone; expected None, or "
                'dict(type="Pretrained", checkpoint=...)'
            )
        self.model_name = model_name
        self.strides = tuple(strides)
        self.norm_eval = norm_eval
        self.options = dict(options or {})
        index_of = self._index_of_strides()
        self.out_indices = [_index(model_name, index_of, stride) for stride in self.strides]
        self.network = build_network(model_name, self.options, self.out_indices)
        trained = upstream_parameters(self.network)
        if frozen_stride:
            stem_index = _index(model_name, index_of, frozen_stride)
            stem = build_network(model_name, self.options, [stem_index])
            trained -= upstream_parameters(stem)
        for name, parameter in self.network.named_parameters():
            parameter.requires_grad_(name in trained)
        if channels_last:
            self.network.to(memory_format=torch.channels_last)

    def _index_of_strides(self) -> dict[int, int]:
        """Return timm's number of the last feature map of each stride."""
        info: Any = build_network(self.model_name, self.options).feature_info
        return dict(zip(info.reduction(), info.out_indices, strict=True))

    def init_weights(self) -> None:
        """Load the weights that ``init_cfg`` names.

        Raises:
            UserError: they cannot be read safely, or none of them fits the network.
            URLError: they cannot be fetched.
        """
        self._is_init = True  # as mmengine marks it
        if not self.init_cfg:
            return
        source = self.init_cfg["checkpoint"]
        content = CheckpointLoader.load_checkpoint(source, "cpu", logger=None)
        weights = {k.removeprefix("module."): v for k, v in weights_of(content, source).items()}
        filled, problem = None, "none of its tensors is taken"
        try:
            filled = build_network(self.model_name, self.options, self.out_indices, weights)
        except UserError as error:
            problem = str(error)
        taken, own = count_taken(filled, weights) if filled is not None else (0, 0)
        if filled is None or not taken:
            raise UserError(
                f"{source} does not fit timm's {self.model_name} ({problem}). Expected weights of "
                "the same network: name others in its init_cfg, or init_cfg=None to start from "
                "scratch."
            )
        if taken < own:
            LOGGER.warning(
                "%d of the %d weight arrays of %s are not in %s as they are: resized by timm, or "
                "random",
                *(own - taken, own, self.model_name, source),
            )
        self.network.load_state_dict(filled.state_dict())

    def train(self, mode: bool = True) -> TimmBackbone:  # noqa: FBT001, FBT002 (torch's signature)
        """Switch between training and evaluation; frozen layers keep their statistics."""
        super().train(mode)
        for module in self.network.modules():
            if isinstance(module, _BatchNorm) and (self.norm_eval or _is_frozen(module)):
                module.eval()
        return self

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the feature maps of (N, 3, H, W) images, in the order of ``strides``."""
        return feature_maps(self.network, images)


def _index(model_name: str, index_of: Mapping[int, int], stride: int) -> int:
    if stride not in index_of:
        raise UserError(
            f"{model_name} has no feature map of stride {stride}; it has {sorted(index_of)}. Name "
            "these in strides and frozen_stride, or take a model whose resolution falls by stages"
        )
    return index_of[stride]


def _is_frozen(module: nn.Module) -> bool:
    return not any(parameter.requires_grad for parameter in module.parameters(recurse=False))
