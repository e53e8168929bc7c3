"""Tells configs of segmentors from those of detectors, and what segmentors need."""

from __future__ import annotations

from collections.abc import Mapping

from mmdet.registry import MODELS
from mmengine.config import Config

import ovdistill.segmentation.register_models  # noqa: F401
from ovdistill.segmentation.models.pixel_segmentor import PixelSegmentor


def is_segmentor(config: Config) -> bool:
    """Return whether the model of a config gives every pixel a class name."""
    model = config.get("model")
    name = model.get("type") if isinstance(model, Mapping) else None
    network = MODELS.get(name) if isinstance(name, str) else name
    return isinstance(network, type) and issubclass(network, PixelSegmentor)


def dense_scale(config: Config) -> float:
    """Return by how much images are enlarged for the dense teacher, see ``DenseTeacher``.

    Args:
        config: of a training, whose hook says it, or published.
    """
    for hook in config.get("custom_hooks") or ():
        if hook.get("type") == "BuildDenseTeacher":
            return float(hook.get("scale", 1.0))
    return float(config.get("dense_scale", 1.0))
