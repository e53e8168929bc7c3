"""Batch normalisation over all processes computes what that of one process does."""

from __future__ import annotations

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODEL_WRAPPERS
from torch import nn

from ovdistill.core.errors import UserError
from ovdistill.models.timm_backbone import TimmBackbone
from ovdistill.training.runner import TrainingRunner


@MODEL_WRAPPERS.register_module()
class Unwrapped(nn.Module):
    """In place of DistributedDataParallel, which asks for other processes."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module


def wrapped(model: nn.Module, kind: str) -> nn.Module:
    """The model as a runner of several processes wraps it."""
    runner = TrainingRunner.__new__(TrainingRunner)  # without all that a training has
    runner._distributed, runner.cfg = True, Config(dict(sync_bn=kind))
    model = runner.wrap_model(dict(type="Unwrapped"), model)
    assert runner.cfg.sync_bn == kind  # the config is written down later
    return model.module


def test_a_network_of_timm_keeps_its_activations() -> None:
    """Here they are in the normalisation."""
    model = nn.Sequential(TimmBackbone("mobilenetv4_conv_small_035", strides=(8,))).eval()
    model.append(nn.ModuleList([nn.BatchNorm2d(8)]))  # as other parts of a detector have
    images = torch.rand(1, 3, 64, 64)
    before, names = model[0](images), set(model.state_dict())
    model = wrapped(model, "torch").eval()
    norms = [each for each in model.modules() if isinstance(each, nn.modules.batchnorm._BatchNorm)]
    assert len(norms) > 1 and all(isinstance(norm, nn.SyncBatchNorm) for norm in norms)
    assert set(model.state_dict()) == names
    assert torch.equal(model[0](images)[0], before[0])


def test_what_cannot_be_converted_is_said() -> None:
    backbone = TimmBackbone("mobilenetv4_conv_small_035", strides=(8,))
    with pytest.raises(UserError, match="'mmcv' for a network of timm.*sync_bn='torch'"):
        wrapped(backbone, "mmcv")
    with pytest.raises(UserError, match="'other'.*'mmcv'"):
        wrapped(backbone, "other")
