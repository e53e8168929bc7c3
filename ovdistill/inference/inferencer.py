"""OVInferencer: a trained detector for any class names and any images."""

from __future__ import annotations

import logging
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
from ovdistill.core.images import ImageError, find_images, read_image
from ovdistill.core.recipes import student_config
from ovdistill.datasets.build_vocabulary import prompts_of_config
from ovdistill.inference.detections import Detections, select
from ovdistill.inference.large_images import reduce_image
from ovdistill.inference.queries import parse_queries
from ovdistill.models.build import build_detector, build_image_pipeline
from ovdistill.models.config import load_config
from ovdistill.teacher import Teacher, build_teacher
from ovdistill.vocabulary import Vocabulary
from ovdistill.vocabulary.learned_prompts import LearnedPrompts

LOGGER = logging.getLogger(__name__)


class OVInferencer:
    """Finds the objects that texts describe in images.

    Example:
        >>> detector = OVInferencer(text="red striped star, outlined heart")
        >>> found = detector("image.png")
        >>> detector.set_text("green ring")  # the same weights, other class names

    Args:
        config: config file of the detector, or name of a shipped recipe. By default, the detector
            that ships with the package.
        checkpoint: weights of the detector, to be given together with ``config``.
        device: 'cpu', 'cuda', 'cuda:1', ... By default, a GPU if there is one.
        teacher: the teacher that encodes texts. By default, the one that the config names.
        overrides: values that replace those of the config, by dotted key.
        text: texts to look for, see ``set_text``. They can be set and changed later.
        background: texts that compete with them, see ``set_text``.

    Raises:
        UserError: a config without weights or weights without a config, no such config, no such
            device, or a background without a text.
    """

    def __init__(
        self,
        config: str | Path | None = None,
        checkpoint: str | Path | None = None,
        device: str | None = None,
        teacher: Teacher | None = None,
        overrides: Mapping[str, Any] | None = None,
        *,
        text: str | Sequence[str] = (),
        background: str | Sequence[str] = (),
    ) -> None:
        if (config is None) != (checkpoint is None):
            got = "a config" if checkpoint is None else "a checkpoint"
            raise UserError(
                f"got {got} alone: give config and checkpoint together, or neither for the "
                "shipped student."
            )
        if config is None or checkpoint is None:
            config, checkpoint = student_config(), STUDENT_WEIGHTS
        self.device = choose_device(device)
        self.config = load_config(config, overrides)
        self.checkpoint = Path(checkpoint)
        self.model: Any = None  # an mmdet detector, built when the first texts are set
        self.queries: tuple[str, ...] = ()
        if teacher is not None:
            self.teacher = teacher
        if text or background:
            self.set_text(text, background)

    @cached_property
    def teacher(self) -> Teacher:
        """The teacher, which is loaded when the first text is encoded."""
        return build_teacher(self.config.teacher, self.device)

    @cached_property
    def prompts(self) -> tuple[str, ...] | LearnedPrompts:
        """The prompts that texts are put into, see ``build_vocabulary.prompts_of_config``."""
        return prompts_of_config(self.config)

    def set_text(
        self, queries: str | Sequence[str], background: str | Sequence[str] = ()
    ) -> Vocabulary:
        """Set the texts to look for.

        Args:
            queries: a text such as "red star, outlined heart", or a sequence of texts.
            background: texts that compete with the queries, in the same form; their detections are
                not returned. A region is assigned to the text that fits it best, so with few
                queries, background texts prevent false detections.

        Returns:
            The vocabulary: first the queries, then the background texts.

        Raises:
            UserError: no text, or the teacher's weights are missing.
        """
        queries = parse_queries(queries)
        others = parse_queries(background) if background else ()
        names = queries + tuple(text for text in others if text not in queries)
        step = self.config.get("prepare", {}).get("vocabulary") or {}
        tokens = bool(step.get("tokens"))
        vocabulary = Vocabulary.encode(names, self.teacher, self.prompts, tokens=tokens)
        self.set_vocabulary(vocabulary, len(queries))
        return vocabulary

    def set_vocabulary(self, vocabulary: Vocabulary, wanted: int | None = None) -> None:
        """Set the texts to look for, with their embeddings.

        Args:
            vocabulary: names and embeddings, of the teacher that the detector was trained with.
            wanted: only detections of the first ``wanted`` names are returned. By default, all.

        Raises:
            UserError: the embeddings have another width or another teacher than the detector.
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
        """Detect objects in one image, a path or (H, W, 3) uint8 RGB; see ``predict``."""
        return self.predict([image], score_threshold, max_dets)[0]

    @torch.inference_mode()
    def predict(
        self,
        images: Sequence[str | Path | np.ndarray],
        score_threshold: float = 0.3,
        max_dets: int = 100,
    ) -> list[Detections]:
        """Detect objects in a batch of images of any sizes.

        An image of more than ``large_images.MAX_PIXELS`` pixels is reduced first. Its boxes are in
        pixels of the image as it was, its masks in those of the reduced one.

        Args:
            images: paths, or (H, W, 3) uint8 RGB arrays.
            score_threshold: the lowest score that is returned.
            max_dets: the largest number of detections in an image.

        Returns:
            The detections in each image.

        Raises:
            UserError: no texts were set, or an image cannot be read.
        """
        if self.model is None:
            raise UserError("no texts to look for: call set_text or set_vocabulary first.")
        whole = [self._load(image) for image in images]
        seen = [self._reduce(image) for image in whole]
        packed = [self._pack(image) for image in seen]
        batch = {key: [item[key] for item in packed] for key in ("inputs", "data_samples")}
        outputs = self.model.test_step(batch)
        found = [
            select(output.pred_instances, self.queries, score_threshold, max_dets)
            for output in outputs
        ]
        return [
            one if small is image else one.moved(small.shape[:2], image.shape[:2])
            for one, small, image in zip(found, seen, whole, strict=True)
        ]

    def predict_folder(
        self,
        directory: str | Path,
        score_threshold: float = 0.3,
        max_dets: int = 100,
        batch_size: int = 1,
        skipped: list[ImageError] | None = None,
    ) -> Iterator[tuple[Path, Detections]]:
        """Detect objects in the images of a folder.

        An image that cannot be read does not stop the others.

        Args:
            directory: a folder of images, or one image.
            score_threshold: the lowest score that is returned.
            max_dets: the largest number of detections in an image.
            batch_size: images in a forward pass.
            skipped: a list that takes the errors of images that cannot be read. Without it they are
                an error when all others have been yielded.

        Yields:
            Path and detections of each image, by name.

        Raises:
            UserError: no images there; or, at the end, some that could not be read.
        """
        bad: list[ImageError] = []
        paths = find_images(directory)
        for start in range(0, len(paths), batch_size):
            images: dict[Path, np.ndarray] = {}
            for path in paths[start : start + batch_size]:
                try:
                    images[path] = read_image(path)
                except ImageError as error:
                    bad.append(error)
            if images:
                found = self.predict(list(images.values()), score_threshold, max_dets)
                yield from zip(images, found, strict=True)
        if skipped is not None:
            skipped += bad
        elif bad:
            raise UserError(f"{len(bad)} of {len(paths)} images: {'; '.join(map(str, bad))}")

    def _load(self, image: str | Path | np.ndarray) -> np.ndarray:
        if not isinstance(image, np.ndarray):
            image = read_image(image)
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise UserError(
                f"got an image of shape {image.shape}, {image.dtype}: expected (H, W, 3) uint8 RGB"
            )
        return image

    def _reduce(self, image: np.ndarray) -> np.ndarray:
        seen = reduce_image(image)
        if seen is not image:
            LOGGER.info(
                "an image of %d x %d pixels is reduced to %d x %d; boxes are of the whole image",
                *(*image.shape[1::-1], *seen.shape[1::-1]),
            )
        return seen

    def _pack(self, image: np.ndarray) -> dict[str, Any]:
        # mmdet's pipelines take BGR, as OpenCV reads it
        return self._pipeline({"img": np.ascontiguousarray(image[..., ::-1]), "img_id": 0})

    @cached_property
    def _pipeline(self) -> Compose:
        return build_image_pipeline(self.config)
