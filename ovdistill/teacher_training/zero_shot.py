"""Zero-shot accuracy of towers under training, on labelled images that are held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.teacher.crops import CropPolicy
from ovdistill.teacher.open_clip_teacher import RESIZE_MODES
from ovdistill.teacher_training.data.registry import build_source
from ovdistill.teacher_training.data.source import PairSource
from ovdistill.teacher_training.open_clip_towers import OpenCLIPTowers
from ovdistill.vocabulary.names import check_names
from ovdistill.vocabulary.prompts import TEMPLATES, fill_template

BATCH = 64  # images encoded at once


class HeldOut:
    """Labelled images, and the texts of their classes with the template "single".

    Args:
        options: the config's ``held_out``: a source of pairs with classes.

    Raises:
        UserError: a source without classes or with two names of one class, or see
            ``build_source``.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        source = build_source(options)
        if not isinstance(source, PairSource) or len(source.class_names) < 2:
            raise UserError(
                f"held_out is a {type(source).__name__} without classes; expected labelled images, "
                "such as dict(type='ImageFolders', folder=...)"
            )
        self.source = source
        self.names = sorted(set(source.class_names))
        check_names(self.names, f"held_out ({type(source).__name__})")

    def accuracy(self, towers: OpenCLIPTowers) -> float:
        """Return the share of images whose class is the nearest text, in [0, 1].

        Raises:
            ImageError: an image cannot be used.
            UserError: an image has no class.
        """
        was_training = towers.training
        towers.eval()
        try:
            with torch.no_grad():
                return self._accuracy(towers)
        finally:
            towers.train(was_training)

    def _accuracy(self, towers: OpenCLIPTowers) -> float:
        (template,) = TEMPLATES["single"]
        prompts = [fill_template(template, name) for name in self.names]
        texts = towers.encode_texts(towers.tokenizer(prompts).to(towers.device))
        correct = 0
        for start in range(0, len(self.source), BATCH):
            rows = range(start, min(start + BATCH, len(self.source)))
            pairs = [self.source.load(row, np.random.default_rng(row)) for row in rows]
            without = [row for row, pair in zip(rows, pairs, strict=True) if not pair.class_name]
            if without:
                raise UserError(
                    f"pair {without[0] + 1} of held_out has no class; expected one for each"
                )
            labels = [self.names.index(str(pair.class_name)) for pair in pairs]
            embedded = towers.encode_images(_inputs([pair.image for pair in pairs], towers))
            found = (embedded @ texts.T).argmax(dim=1).cpu()
            correct += int((found == torch.tensor(labels)).sum())
        return correct / len(self.source)


def _inputs(images: Sequence[np.ndarray], towers: OpenCLIPTowers) -> Tensor:
    """Return (n, 3, S, S) normalised, prepared as the model's own preprocessing does it."""
    config = towers.preprocessing
    policy = CropPolicy(scales=(1.0,), shape=RESIZE_MODES[config["resize_mode"]])
    regions = []
    for image in images:
        height, width = image.shape[:2]
        whole = torch.tensor([[0.0, 0.0, width, height]])
        regions.append((torch.from_numpy(image).permute(2, 0, 1), whole))
    (crops,) = policy.crop(regions, towers.image_size, config["interpolation"])
    return towers.normalize(crops).to(towers.device)
