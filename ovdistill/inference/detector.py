"""Detector: finds the objects that texts describe, in any images."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dataset import Compose

from ovdistill.core.devices import choose_device
from ovdistill.core.errors import UserError
from ovdistill.core.images import ImageError
from ovdistill.datasets.build_vocabulary import prompts_of_config
from ovdistill.inference.calibration import Calibration
from ovdistill.inference.competitors import competitors
from ovdistill.inference.detections import Detections
from ovdistill.inference.large_images import reduce_image
from ovdistill.inference.pretrained import SHIPPED, DetectorFiles, find_detector
from ovdistill.inference.prompts import Prompts, parse_prompts
from ovdistill.inference.selection import Limits, select
from ovdistill.inference.sources import Image, ImageSource, find_sources, is_one_image
from ovdistill.models.build import build_detector, build_image_pipeline
from ovdistill.models.config import load_config
from ovdistill.models.kept_regions import KeptRegions
from ovdistill.models.open_vocabulary_rcnn import OpenVocabularyRCNN
from ovdistill.teacher import Teacher, build_teacher
from ovdistill.vocabulary import Vocabulary
from ovdistill.vocabulary.learned_prompts import LearnedPrompts

LOGGER = logging.getLogger(__name__)
AUTO = "auto"


class Detector:
    """Finds the objects that texts describe in images.

    Example:
        >>> detector = Detector.from_pretrained("ovshapes")
        >>> image = "ovdistill/assets/samples/ovshapes.png"
        >>> detections = detector.predict(image, "red striped heart, green star")
        >>> rings = detector.requery(detections, "ring")  # other names, without the backbone

    Args:
        files: config, weights and vocabulary of the detector, see ``from_pretrained``.
        device: 'cpu', 'cuda', 'cuda:1', ... By default, a GPU if there is one.
        teacher: the teacher that encodes texts. By default, the one that the config names.
        overrides: values that replace those of the config, by dotted key.

    Raises:
        UserError: no such config, or no such device.
    """

    def __init__(
        self,
        files: DetectorFiles,
        device: str | None = None,
        teacher: Teacher | None = None,
        overrides: Mapping[str, Any] | None = None,
    ) -> None:
        self.files = files
        self.device = choose_device(device)
        self.config = load_config(files.config, overrides)
        self.model: Any = None  # an mmdet detector, built when the first texts are set
        self.queries: tuple[str, ...] = ()
        self._asked: tuple[Any, Any] | None = None
        self._names: tuple[str, ...] = ()  # of queries and what competes with them
        self._classes = torch.zeros(0, dtype=torch.long)  # of each row of the vocabulary
        if teacher is not None:
            self.teacher = teacher

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path = SHIPPED,
        checkpoint: str | Path | None = None,
        *,
        revision: str | None = None,
        **options: Any,
    ) -> Detector:
        """Load a trained detector.

        Args:
            source: 'ovshapes', a folder, a repository of the model hub, or a config; see
                ``find_detector``.
            checkpoint: weights for a config.
            revision: of the repository on the hub.
            **options: see ``Detector``.

        Raises:
            UserError: nothing of this name, or see ``Detector``.
        """
        return cls(find_detector(source, checkpoint, revision), **options)

    @cached_property
    def teacher(self) -> Teacher:
        """The teacher, which is loaded when the first text is encoded."""
        return build_teacher(self.config.teacher, self.device)

    @cached_property
    def prompts(self) -> tuple[str, ...] | LearnedPrompts:
        """The prompts that texts are put into, see ``build_vocabulary.prompts_of_config``."""
        return prompts_of_config(self.config)

    @cached_property
    def known(self) -> Vocabulary | None:
        """The class names that the detector was trained with, None if their file is not there."""
        path = self.files.vocabulary or self.config.get("vocabulary")
        return Vocabulary.load(path) if path and Path(path).is_file() else None

    @cached_property
    def calibration(self) -> Calibration | None:
        """What turns its scores into probabilities, None if it was not calibrated."""
        path = self.files.calibration
        return None if path is None else Calibration.load(path)

    def set_vocabulary(
        self,
        text: str | Sequence[str] | Vocabulary,
        background: str | Sequence[str] | None = AUTO,
    ) -> Vocabulary:
        """Set what to look for, until it is set again.

        Args:
            text: a text such as "red star, outlined heart", a sequence of texts, or a vocabulary of
                the teacher that the detector was trained with.
            background: texts that compete with them and are not reported, because a region gets
                the class name that fits it best. 'auto': the class names that the detector was
                trained with, except those that mean the same, see ``competitors``; none with a
                vocabulary, which has all its names. None: none.

        Returns:
            The vocabulary: first the texts, then those that compete with them.

        Raises:
            UserError: no text, missing weights of the teacher, or embeddings of another width or
                teacher than the detector's.
        """
        asked = (text, background)
        if self._asked == asked:
            return self.model.vocabulary
        if isinstance(text, Vocabulary):
            wanted, prompts = text, Prompts(text.names, tuple((name,) for name in text.names))
            background = None if background == AUTO else background
        else:
            prompts = parse_prompts(text).in_words_of(self.known.names if self.known else ())
            wanted = self._encode(prompts.rows)
        for note in prompts.notes:
            LOGGER.warning("%s", note)
        vocabulary = self._with_background(wanted, background, prompts.negatives)
        if self.model is None:
            model = build_detector(self.config, self.files.weights, vocabulary, self.device)
            self.model = model
        else:
            self.model.set_vocabulary(vocabulary)
        self.queries, self._asked = prompts.names, asked
        others = vocabulary.names[len(wanted) :]
        self._names = (*self.queries, *others)
        rows = [*prompts.classes, *range(len(self.queries), len(self._names))]
        self._classes = torch.tensor(rows, device=self.device)
        return vocabulary

    def _encode(self, names: Sequence[str]) -> Vocabulary:
        step = self.config.get("prepare", {}).get("vocabulary") or {}
        tokens = bool(step.get("tokens"))
        return Vocabulary.encode(names, self.teacher, self.prompts, tokens=tokens)

    def _with_background(
        self,
        wanted: Vocabulary,
        background: str | Sequence[str] | None,
        negatives: Sequence[str] = (),
    ) -> Vocabulary:
        """Return a vocabulary, followed by the class names that compete with it."""
        result = wanted
        if named := tuple(negatives) or (background not in (AUTO, None) and background):
            result = result.followed_by(self._encode(parse_prompts(named).rows))
        if background == AUTO and self.known is not None:
            others = competitors(wanted, self.known)
            if others is not None and wanted.token_embeddings is not None:
                others = self._encode(others.names)
            result = result if others is None else result.followed_by(others)
        return result

    def predict(
        self,
        images: Image | Sequence[Image],
        text: str | Sequence[str] | Vocabulary | None = None,
        score_threshold: float = 0.3,
        max_dets: int = 100,
        *,
        background: str | Sequence[str] | None = AUTO,
        batch_size: int = 1,
        keep_regions: bool = True,
    ) -> Any:
        """Detect objects in an image, or in many.

        Args:
            images: a path, a glob pattern, a folder, a PIL image, (H, W, 3) uint8 RGB, a (3, H, W)
                tensor, the bytes of a file, or a sequence of these.
            text: what to look for, see ``set_vocabulary``; by default, what was set last.
            score_threshold: the lowest score of a detection.
            max_dets: the largest number of detections in an image.
            background: see ``set_vocabulary``; taken with ``text``.
            batch_size: images in a forward pass.
            keep_regions: keep what ``requery`` needs, which takes longer, and a few megabytes an
                image.

        Returns:
            The ``Detections`` in an image; for a folder, a glob pattern or a sequence a list of
            them.

        Raises:
            UserError: nothing to look for, or an image that cannot be read.
        """
        if text is not None:
            self.set_vocabulary(text, background)
        sources = find_sources(images)
        limits = Limits(score_threshold, max_dets)
        found = []
        for _, one in self.stream(sources, limits, batch_size, keep_regions=keep_regions):
            if isinstance(one, ImageError):
                raise one
            found.append(one)
        return found[0] if is_one_image(images) else found

    __call__ = predict

    def stream(
        self,
        sources: Sequence[ImageSource],
        limits: Limits,
        batch_size: int = 1,
        *,
        keep_regions: bool = False,
    ) -> Iterator[tuple[ImageSource, Detections | ImageError]]:
        """Detect objects in one image after another; one that cannot be read stops no other.

        Args:
            sources: the images, see ``find_sources``.
            limits: which detections to return.
            batch_size: images in a forward pass.
            keep_regions: see ``predict``.

        Yields:
            Each source with its detections, or with the error of an image that cannot be read.

        Raises:
            UserError: nothing to look for.
        """
        if self.model is None:
            raise UserError("nothing to look for: give a text, or call set_vocabulary first.")
        left = iter(sources)
        while batch := list(islice(left, batch_size)):
            loaded: list[tuple[ImageSource, np.ndarray | ImageError]] = []
            for source in batch:
                try:
                    loaded.append((source, source.load()))
                except ImageError as error:
                    loaded.append((source, error))
            images = [image for _, image in loaded if isinstance(image, np.ndarray)]
            found = iter(self._detect(images, limits, keep_regions=keep_regions) if images else ())
            for source, image in loaded:
                if isinstance(image, ImageError):
                    yield source, image
                else:
                    path = None if source.path is None else str(source.path)
                    yield source, replace(next(found), image=image, path=path)

    @torch.inference_mode()
    def _detect(
        self, images: Sequence[np.ndarray], limits: Limits, *, keep_regions: bool
    ) -> list[Detections]:
        """Detect objects in a batch of (H, W, 3) uint8 RGB images of any sizes."""
        seen = [self._reduce(image) for image in images]
        packed = [self._pack(image) for image in seen]
        batch = {key: [item[key] for item in packed] for key in ("inputs", "data_samples")}
        if isinstance(self.model, OpenVocabularyRCNN):
            kept = self.model.keep_regions(batch, once=not keep_regions)
            found = [self._classify(regions, limits) for regions in kept]
            if not keep_regions:
                found = [replace(one, regions=None) for one in found]
        else:
            outputs = self.model.test_step(batch)
            found = [self._select_rows(output.pred_instances, limits) for output in outputs]
        return [
            one if small is image else one.moved(small.shape[:2], image.shape[:2])
            for one, small, image in zip(found, seen, images, strict=True)
        ]

    @torch.inference_mode()
    def requery(
        self,
        detections: Detections,
        text: str | Sequence[str] | Vocabulary | None = None,
        score_threshold: float = 0.3,
        max_dets: int = 100,
        *,
        background: str | Sequence[str] | None = AUTO,
    ) -> Detections:
        """Look for other texts in an image that was seen before, without running the backbone.

        Args:
            detections: of this detector, with ``keep_regions``.
            text: see ``predict``.
            score_threshold: see ``predict``.
            max_dets: see ``predict``.
            background: see ``predict``.

        Returns:
            What ``predict`` would return for the image.

        Raises:
            UserError: the detections were made without keeping regions.
        """
        if detections.regions is None:
            raise UserError(
                "these detections have no regions to look at again; expected those of "
                "predict(..., keep_regions=True) of a two-stage detector"
            )
        if text is not None:
            self.set_vocabulary(text, background)
        found = self._classify(detections.regions, Limits(score_threshold, max_dets))
        if detections.size is not None:
            height, width = detections.regions.meta["ori_shape"][:2]
            found = found.moved((height, width), detections.size)
        return replace(found, image=detections.image, path=detections.path)

    def _classify(self, regions: KeptRegions, limits: Limits) -> Detections:
        instances = self.model.classify_regions(
            regions,
            score_threshold=self._raw_score(limits.score_threshold),
            most=self.model.roi_head.test_cfg.max_per_img,
            wanted=len(self.queries),
            groups=self._classes,
        )
        embeddings = regions.final_embeddings[instances.regions]
        instances.embeddings = embeddings[:, : self.model.vocabulary.embed_dim]
        return replace(self._select(instances, limits), regions=regions)

    def _select_rows(self, instances: Any, limits: Limits) -> Detections:
        """Select from detections whose labels are rows of the vocabulary: phrases."""
        instances.labels = self._classes[instances.labels]
        return self._select(instances, limits)

    def _raw_score(self, probability: float) -> float:
        return self.calibration.score(probability) if self.calibration else probability

    def _select(self, instances: Any, limits: Limits) -> Detections:
        raw = replace(limits, score_threshold=self._raw_score(limits.score_threshold))
        found = select(instances, self.queries, raw, self._names)
        if self.calibration is None:
            return found
        second = found.runner_up_scores
        return replace(
            found,
            scores=self.calibration.probabilities(found.scores),
            runner_up_scores=None if second is None else self.calibration.probabilities(second),
        )

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
