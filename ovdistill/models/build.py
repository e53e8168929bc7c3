"""From a config to a detector: its model and weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from torch import Tensor, nn

import ovdistill.models.register_models  # noqa: F401
from ovdistill.core.checkpoints import check_finite, read_weights
from ovdistill.core.errors import UserError
from ovdistill.models.teacher_mark import MARK
from ovdistill.vocabulary import Vocabulary

PROJECTION = "bbox_head.fc_cls.project.weight"


def build_detector(
    config: Config,
    checkpoint: str | Path | None = None,
    vocabulary: Vocabulary | None = None,
    device: str | torch.device = "cpu",
) -> nn.Module:
    """Build the detector of a config, in eval mode.

    Args:
        config: from ``load_config``.
        checkpoint: weights to load, ``.pth`` or ``.safetensors``; random weights without it.
        vocabulary: replaces the config's vocabulary file.
        device: the device that the detector is moved to.

    Raises:
        UserError: the config has no model, the vocabulary is missing or damaged, or see
            ``load_weights``.
    """
    if not isinstance(config.get("model"), Mapping):
        raise UserError(f"{config.filename}: got model = {config.get('model')!r}; expected a dict")
    model_config = config.model.copy()
    if vocabulary is not None:
        model_config["vocabulary"] = vocabulary
    model = MODELS.build(model_config)
    if checkpoint is not None:
        load_weights(model, checkpoint)
    model.cfg = config
    return model.to(device).eval()


def load_weights(model: nn.Module, path: str | Path) -> None:
    """Load a checkpoint into a detector; its keys must be those of the detector.

    What distillation terms learned may be missing: published detectors leave it out.

    Raises:
        UserError: the file cannot be read (see ``read_weights``) or holds NaN, is the checkpoint of
            another detector, or was trained with another teacher than that of the detector's
            vocabulary.
    """
    weights = read_weights(path)
    check_finite(weights, path)
    own = model.state_dict()
    weights = {name: value for name, value in own.items() if is_of_terms(name)} | weights
    _check_weights(own, weights, path)
    model.load_state_dict(weights)


def is_of_terms(name: str) -> bool:
    """Return whether a detector's entry belongs to its distillation terms, which only train."""
    return "distillers" in name.split(".")


def _check_weights(own: dict[str, Tensor], weights: dict[str, Tensor], path: str | Path) -> None:
    """Raise UserError unless weights have the names and shapes of a detector's own."""
    for name in (key for key in own.keys() & weights.keys() if key.endswith(PROJECTION)):
        if len(own[name]) != len(weights[name]):
            raise UserError(
                f"{path} was trained in an embedding space of width {len(weights[name])}; the "
                f"vocabulary of this config has width {len(own[name])}. Build the vocabulary with "
                "the teacher that the detector was trained with, or name another checkpoint."
            )
    wrong = [
        name
        for name in (own.keys() | weights.keys()) - {MARK}
        if name not in own or name not in weights or own[name].shape != weights[name].shape
    ]
    if wrong:
        raise UserError(
            f"{path} does not fit the detector of this config: {len(wrong)} of {len(own)} entries "
            f"differ (the first: {sorted(wrong)[0]}). Name the config it was trained with."
        )
