"""From a config to a detector: model, weights, vocabulary, pipeline."""

from __future__ import annotations

from pathlib import Path

import torch
from mmdet.registry import MODELS, TRANSFORMS
from mmengine.config import Config
from mmengine.dataset import Compose
from torch import nn

from ovdistill.core.checkpoints import read_weights
from ovdistill.core.errors import UserError
from ovdistill.vocabulary import Vocabulary

PROJECTION = "bbox_head.fc_cls.project.weight"
MARK = "teacher_mark.text"  # not in every checkpoint, see ``TeacherMark``


def build_detector(
    config: Config,
    checkpoint: str | Path | None = None,
    vocabulary: Vocabulary | None = None,
    device: str | torch.device = "cpu",
) -> nn.Module:
    """Builds the detector of a config, in eval mode.

    Args:
        config: from ``load_config``.
        checkpoint: weights to load, ``.pth`` or ``.safetensors``.
        vocabulary: takes the place of the config's vocabulary file.
        device: where the detector goes.

    Raises:
        UserError: weights missing, damaged, or of another detector or teacher width.
    """
    model_config = config.model.copy()
    if vocabulary is not None:
        model_config["vocabulary"] = vocabulary
    model = MODELS.build(model_config)
    if checkpoint is not None:
        load_weights(model, checkpoint)
    model.cfg = config
    return model.to(device).eval()


def build_image_pipeline(config: Config) -> Compose:
    """The test pipeline of a config, on an image in memory instead of a data set's.

    It takes dict(img=(H, W, 3) uint8 BGR, img_id=int).
    """
    steps = [s for s in config.test_pipeline if not s["type"].split(".")[-1].startswith("Load")]
    steps = [{"type": "mmdet.LoadImageFromNDArray"}, *steps]
    return Compose([TRANSFORMS.build(step) for step in steps])


def load_weights(model: nn.Module, path: str | Path) -> None:
    """Loads a checkpoint into a detector, every key of it.

    Raises:
        UserError: see ``read_weights``; or the checkpoint is of another detector, or was trained
            with another teacher than that of the detector's vocabulary.
    """
    state = read_weights(path)
    own = model.state_dict()
    for name in (key for key in own.keys() & state.keys() if key.endswith(PROJECTION)):
        if len(own[name]) != len(state[name]):
            raise UserError(
                f"{path} was trained in an embedding space of width {len(state[name])}; the "
                f"vocabulary of this config has width {len(own[name])}. Build the vocabulary with "
                "the teacher that the detector was trained with, or name another checkpoint."
            )
    wrong = [
        name
        for name in (own.keys() | state.keys()) - {MARK}
        if name not in own or name not in state or own[name].shape != state[name].shape
    ]
    if wrong:
        raise UserError(
            f"{path} does not fit the detector of this config: {len(wrong)} of {len(own)} entries "
            f"differ (the first: {sorted(wrong)[0]}). Name the config it was trained with."
        )
    model.load_state_dict(state)
