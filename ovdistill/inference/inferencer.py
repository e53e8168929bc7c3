"""OVInferencer: a trained detector, any words, any images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dataset import Compose

from ovdistill.core.assets import STUDENT_WEIGHTS
from ovdistill.core.devices import choose_device
from ovdistill.core.errors import UserError
from ovdistill.core.images import find_images, read_image
from ovdistill.core.recipes import student_config
from ovdistill.datasets.build_vocabulary import prompts_of_config
from ovdistill.inference.detections import Detections, select
from ovdistill.inference.queries import parse_queries
from ovdistill.models.build import build_detector, build_image_pipeline
from ovdistill.models.config import load_config
from ovdistill.teacher import Teacher, build_teacher
from ovdistill.vocabulary import Vocabulary
from ovdistill.vocabulary.learned_prompts import LearnedPrompts


class OVInferencer:
    """Finds the objects that a list of words describes.

    Example:
        >>> inferencer = OVInferencer()
        >>> inferencer.set_text("red striped star, outlined heart")
        >>> detections = inferencer("image.png")

    Args:
        config: config file of the detector; without it, the shipped student.
        checkpoint: its weights.
        device: 'cpu', 'cuda', ...; a GPU if there is one unless given.
        teacher: the teacher that encodes words; the config's unless given.
        overrides: of the config, as ``--cfg-options`` gives them.

    Raises:
        UserError: a config without weights, or a device that is not there.
    """

    def __init__(
        self,
        config: str | Path | None = None,
        checkpoint: str | Path | None = None,
        device: str | None = None,
        teacher: Teacher | None = None,
        overrides: Mapping[str, Any] | None = None,
    ) -> None:
        if (config is None) != (checkpoint is None):
            got = "a config" if checkpoint is None else "a checkpoint"
            raise UserError(
                f"got {got} alone: give --config and --checkpoint together, or neither for the "
                "shipped student."
            )
        if config is None:
            config, checkpoint = student_config(), STUDENT_WEIGHTS
        self.device = choose_device(device)
        self.config = load_config(config, overrides)
        self.checkpoint = Path(checkpoint)
        self.model: torch.nn.Module | None = None
        self.queries: tuple[str, ...] = ()
        if teacher is not None:
            self.teacher = teacher

    @cached_property
    def teacher(self) -> Teacher:
        """The teacher named by the config, loaded when the first text is encoded."""
        return build_teacher(self.config.teacher, self.device)

    @cached_property
    def prompts(self) -> tuple[str, ...] | LearnedPrompts:
        """What texts are put into: see ``datasets.build_vocabulary.prompts_of_config``."""
        return prompts_of_config(self.config)

    def set_text(
        self, queries: str | Sequence[str], background: str | Sequence[str] = ()
    ) -> Vocabulary:
        """Sets the words to look for.

        Args:
            queries: "red star, outlined heart", or a sequence of words.
            background: words that compete for the objects but are not reported. A region always
                goes to the word that fits best, so with few queries these keep other things out.

        Returns:
            The encoded vocabulary: queries first, then background words.

        Raises:
            UserError: no word in the text; the teacher's weights are missing.
        """
        queries = parse_queries(queries)
        others = parse_queries(background) if background else ()
        names = queries + tuple(word for word in others if word not in queries)
        step = self.config.get("prepare", {}).get("vocabulary") or {}
        tokens = bool(step.get("tokens"))
        vocabulary = Vocabulary.encode(names, self.teacher, self.prompts, tokens=tokens)
        self.set_vocabulary(vocabulary, len(queries))
        return vocabulary

    def set_vocabulary(self, vocabulary: Vocabulary, wanted: int | None = None) -> None:
        """Sets encoded words.

        Args:
            vocabulary: of the teacher that the detector was trained with.
            wanted: the first ``wanted`` words are reported; all unless given.

        Raises:
            UserError: the width or the teacher of the embeddings is not the detector's.
        """
        if self.model is None:
            self.model = build_detector(self.config, self.checkpoint, vocabulary, self.device)
        else:
            self.model.set_vocabulary(vocabulary)
        self.queries = tuple(vocabulary.names[:wanted])

    def __call__(
        self,
        image: str | Path | np.ndarray,
        score_threshold: float = 0.3,
        max_dets: int = 100,
    ) -> Detections:
        """One image: a path, or (H, W, 3) uint8 RGB. See ``predict``."""
        return self.predict([image], score_threshold, max_dets)[0]

    @torch.inference_mode()
    def predict(
        self,
        images: Sequence[str | Path | np.ndarray],
        score_threshold: float = 0.3,
        max_dets: int = 100,
    ) -> list[Detections]:
        """Detects in a batch of images of any sizes.

        Args:
            images: paths, or (H, W, 3) uint8 RGB arrays.
            score_threshold: the lowest score kept.
            max_dets: how many objects an image at most.

        Raises:
            UserError: no words were set, or an image cannot be read.
        """
        if self.model is None:
            raise UserError("no words to look for: call set_text or set_vocabulary first.")
        packed = [self._pipeline(self._load(image)) for image in images]
        batch = {key: [item[key] for item in packed] for key in ("inputs", "data_samples")}
        outputs = self.model.test_step(batch)
        return [
            select(output.pred_instances, self.queries, score_threshold, max_dets)
            for output in outputs
        ]

    def predict_folder(
        self,
        directory: str | Path,
        score_threshold: float = 0.3,
        max_dets: int = 100,
        batch_size: int = 1,
    ) -> Iterator[tuple[Path, Detections]]:
        """Detects in an image or in all images of a directory, ``batch_size`` at a time.

        Raises:
            UserError: no images there, or one that cannot be read.
        """
        paths = find_images(directory)
        for start in range(0, len(paths), batch_size):
            batch = paths[start : start + batch_size]
            yield from zip(batch, self.predict(batch, score_threshold, max_dets), strict=True)

    def _load(self, image: str | Path | np.ndarray) -> dict[str, Any]:
        if not isinstance(image, np.ndarray):
            image = read_image(image)
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise UserError(
                f"got an image of shape {image.shape}, {image.dtype}: expected (H, W, 3) uint8 RGB"
            )
        # mmdet's pipelines take BGR, as OpenCV reads it
        return {"img": np.ascontiguousarray(image[..., ::-1]), "img_id": 0}

    @cached_property
    def _pipeline(self) -> Compose:
        return build_image_pipeline(self.config)
