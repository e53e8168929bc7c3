"""Opens whatever was trained: a detector or a segmentor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ovdistill.inference.detector import Detector
from ovdistill.inference.model_kind import is_segmentor
from ovdistill.inference.pretrained import DetectorFiles
from ovdistill.inference.segmentor import Segmentor
from ovdistill.models.config import load_config


def open_model(
    files: DetectorFiles, overrides: Mapping[str, Any] | None = None, **options: Any
) -> Detector | Segmentor:
    """Return the detector or segmentor of a config.

    Args:
        files: see ``find_detector``.
        overrides: values that replace those of the config, by dotted key.
        **options: see ``Detector``.

    Raises:
        UserError: see ``Detector``.
    """
    kind = Segmentor if is_segmentor(load_config(files.config, overrides)) else Detector
    return kind(files, overrides=overrides, **options)
