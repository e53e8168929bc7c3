"""A network with its test pipeline, for one set of class names at a time."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config

from ovdistill.inference.asked import Asked
from ovdistill.inference.image_stream import Found, Look
from ovdistill.inference.large_images import reduce_image
from ovdistill.models.build import build_detector
from ovdistill.models.half_precision import half_dtype, return_float32
from ovdistill.models.image_pipeline import ImagePipeline, build_image_pipeline

LOGGER = logging.getLogger(__name__)


class Network:
    """What the networks of detectors and of segmentors have in common.

    Args:
        config: of the network.
        weights: its checkpoint; None leaves it untrained.
        device: where it runs.
        asked: the first class names.
        half: run the network in half precision, see ``half_precision``.

    Raises:
        UserError: weights that do not fit, or class names of another teacher or width.
    """

    def __init__(
        self,
        config: Config,
        weights: Path | None,
        device: torch.device,
        asked: Asked,
        *,
        half: bool = False,
    ) -> None:
        self.config = config
        self.device = device
        self.model: Any = build_detector(config, weights, asked.vocabulary, device)
        self.asked = asked
        self.half = half
        if half:
            return_float32(self.model)

    def set_asked(self, asked: Asked) -> None:
        """Replace the class names."""
        self.model.set_vocabulary(asked.vocabulary)
        self.asked = asked

    def keeping_asked(self, look: Look[Found]) -> Look[Found]:
        """Return a function that looks for the class names of now, whatever is asked later.

        Args:
            look: returns what this network finds in each of several images.
        """
        asked = self.asked

        def look_for_asked(images: Sequence[np.ndarray]) -> Sequence[Found]:
            later = self.asked
            if later is asked:
                return look(images)
            self.set_asked(asked)
            try:
                return look(images)
            finally:
                self.set_asked(later)

        return look_for_asked

    def pack(self, images: Sequence[np.ndarray]) -> dict[str, list[Any]]:
        """Return ``inputs`` and ``data_samples`` of (H, W, 3) uint8 RGB images, as a batch."""
        # mmdet's pipelines take BGR, as OpenCV reads it
        packed = [
            self._pipeline({"img": np.ascontiguousarray(image[..., ::-1]), "img_id": 0})
            for image in images
        ]
        return {key: [item[key] for item in packed] for key in ("inputs", "data_samples")}

    def precision(self) -> torch.autocast:
        """Return the context in which the network runs."""
        dtype = half_dtype(self.device)
        return torch.autocast(self.device.type, dtype=dtype, enabled=self.half)

    @cached_property
    def _pipeline(self) -> ImagePipeline:
        return build_image_pipeline(self.config)


def reduce_large(image: np.ndarray) -> np.ndarray:
    """Return an image as a network sees it: reduced if it is very large, which is said."""
    seen = reduce_image(image)
    if seen is not image:
        LOGGER.info(
            "an image of %d x %d pixels is reduced to %d x %d; results are of the whole image",
            *(*image.shape[1::-1], *seen.shape[1::-1]),
        )
    return seen
