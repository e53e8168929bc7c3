"""Detector: finds the objects that texts describe, in any images."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from ovdistill.core.devices import choose_device
from ovdistill.core.errors import UserError
from ovdistill.core.images import ImageError
from ovdistill.datasets.build_vocabulary import prompts_of_config
from ovdistill.inference.asked import AUTO, Background, Text, ask
from ovdistill.inference.calibration import Calibration
from ovdistill.inference.detections import Detections
from ovdistill.inference.encoded_texts import EncodedTexts
from ovdistill.inference.engine import Engine
from ovdistill.inference.hub import HubMixin
from ovdistill.inference.image_stream import detect_images
from ovdistill.inference.limits import Limits, make_limits
from ovdistill.inference.pretrained import SHIPPED, DetectorFiles, find_detector
from ovdistill.inference.sources import ImageSource, find_sources, is_single
from ovdistill.inference.video.frames import predict_video
from ovdistill.models.config import load_config
from ovdistill.teacher import Teacher, build_teacher
from ovdistill.vocabulary import Vocabulary
from ovdistill.vocabulary.learned_prompts import LearnedPrompts

LOGGER = logging.getLogger(__name__)


class Detector(HubMixin):
    """Finds the objects that texts describe in images.

    Examples:
        >>> detector = Detector.from_pretrained("ovshapes")
        >>> image = "ovdistill/assets/samples/ovshapes.png"
        >>> detections = detector.predict(image, "red striped heart, green star")
        >>> rings = detector.requery(detections, "ring")  # other names, without the backbone

    Args:
        files: config, weights and vocabulary of the detector, see ``from_pretrained``.
        device: 'cpu', 'cuda', 'cuda:1', ... By default, a GPU if there is one.
        teacher: the teacher that encodes texts. By default, the one that the config names.
        overrides: values that replace those of the config, by dotted key.
        half: run the network in half precision, float16 on a GPU and bfloat16 on a CPU; boxes,
            scores and embeddings are computed in float32.

    Raises:
        UserError: no such config, or no such device.
    """

    def __init__(
        self,
        files: DetectorFiles,
        device: str | None = None,
        teacher: Teacher | None = None,
        overrides: Mapping[str, Any] | None = None,
        *,
        half: bool = False,
    ) -> None:
        self.files = files
        self.device = choose_device(device)
        self.config = load_config(files.config, overrides)
        self.half = half
        self._engine: Engine | None = None
        self._text: tuple[Text, Background] | None = None  # what was set last
        self._said = set[str]()  # notes are given once
        self._encoded = EncodedTexts(self._encode)
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

    def set_vocabulary(self, text: Text, background: Background = AUTO) -> Vocabulary:
        """Set what to look for, until it is set again.

        Args:
            text: names between commas, such as "red star, outlined heart"; a file of names; a list
                of names; a mapping of names to phrases; or a vocabulary of the teacher that the
                detector was trained with.
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
        if self._text == (text, background):
            return self.engine.asked.vocabulary
        asked = ask(text, background, self.encode_texts, self.known)
        for note in asked.notes:
            if note not in self._said:
                LOGGER.warning("%s", note)
        self._said.update(asked.notes)
        if self._engine is None:
            weights, curve = self.files.weights, self.calibration
            self._engine = Engine(self.config, weights, self.device, asked, curve, half=self.half)
        else:
            self._engine.set_asked(asked)
        self._text = (text, background)
        return asked.vocabulary

    @property
    def engine(self) -> Engine:
        """The network, which is built when the first texts are set.

        Raises:
            UserError: none were set.
        """
        if self._engine is None:
            raise UserError("nothing to look for: give a text, or call set_vocabulary first.")
        return self._engine

    @property
    def queries(self) -> tuple[str, ...]:
        """The names that the detector looks for; none at first."""
        return self._engine.asked.queries if self._engine else ()

    def encode_texts(self, names: Sequence[str]) -> Vocabulary:
        """Return names with their text embeddings, each text encoded once in a detector's life."""
        step = self.config.get("prepare", {}).get("vocabulary") or {}
        if step.get("tokens"):
            return Vocabulary.encode(names, self.teacher, self.prompts, tokens=True)
        return self._encoded(names)

    def _encode(self, names: Sequence[str]) -> Vocabulary:
        return Vocabulary.encode(names, self.teacher, self.prompts)

    def predict(
        self,
        images: Any,
        text: Text | None = None,
        score_threshold: float | Mapping[str, float] = 0.3,
        max_dets: int = 100,
        *,
        background: Background = AUTO,
        batch_size: int = 1,
        keep_regions: bool | None = None,
    ) -> Any:
        """Detect objects in an image, or in many.

        Args:
            images: a path, a pattern such as "photos/**/*.jpg", a folder, a PIL image, (H, W, 3)
                uint8 RGB, a (3, H, W) tensor, the bytes of a file, or a list of these; see
                ``find_sources``.
            text: what to look for, see ``set_vocabulary``; by default, what was set last.
            score_threshold: the lowest score of a detection; or that of some names, the others
                keep 0.3.
            max_dets: the largest number of detections in an image.
            background: see ``set_vocabulary``; taken with ``text``.
            batch_size: images in a forward pass.
            keep_regions: keep what ``requery`` needs, which doubles the time, and takes some
                megabytes an image. By default for a single image.

        Returns:
            The ``Detections`` in an image; for a folder, a pattern or a list a list of them, which
            name their files and do not hold the images.

        Raises:
            UserError: nothing to look for, or an image that cannot be read.
        """
        if text is not None:
            self.set_vocabulary(text, background)
        sources = find_sources(images)
        single = is_single(images)
        keep = single if keep_regions is None else keep_regions
        limits = make_limits(score_threshold, max_dets, self.queries)
        found = []
        for _, one in self.stream(sources, limits, batch_size, keep_regions=keep):
            if isinstance(one, ImageError):
                raise one
            found.append(one if single or one.path is None else replace(one, image=None))
        return found[0] if single else found

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
        detect = partial(self.engine.detect, limits=limits, keep_regions=keep_regions)
        return detect_images(sources, detect, batch_size)

    def predict_video(
        self,
        path: str | os.PathLike[str],
        text: Text | None = None,
        score_threshold: float | Mapping[str, float] = 0.3,
        max_dets: int = 100,
        *,
        background: Background = AUTO,
        batch_size: int = 1,
        every: int = 1,
        track: bool = False,
    ) -> Iterator[tuple[int, float, Detections]]:
        """Detect objects in the frames of a video, see ``video.frames.predict_video``.

        Args:
            path: of the video.
            text: see ``predict``.
            score_threshold: see ``predict``.
            max_dets: see ``predict``.
            background: see ``predict``.
            batch_size: frames in a forward pass.
            every: detect in the first of so many frames.
            track: number the objects, see ``Detections.track_ids``.

        Yields:
            Index, time in seconds and ``Detections`` of each frame that was looked at.

        Raises:
            UserError: nothing to look for, a video that cannot be read, or a missing extra.
        """
        if text is not None:
            self.set_vocabulary(text, background)
        limits = make_limits(score_threshold, max_dets, self.queries)
        detect = partial(self.engine.detect, limits=limits, keep_regions=False)
        return predict_video(
            Path(path), detect, limits.lowest, every=every, batch_size=batch_size, track=track
        )

    def requery(
        self,
        detections: Detections,
        text: Text | None = None,
        score_threshold: float | Mapping[str, float] = 0.3,
        max_dets: int = 100,
        *,
        background: Background = AUTO,
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
            UserError: the detections were made without keeping regions, or the detector has one
                stage, which keeps none.
        """
        if text is not None:
            self.set_vocabulary(text, background)
        limits = make_limits(score_threshold, max_dets, self.queries)
        return self.engine.requery(detections, limits)

    def rank_names(self, detection: Detections, most: int = 5) -> list[tuple[str, float]]:
        """Return the class names that fit a detection best with their scores, best first.

        Those that only compete are included.

        Args:
            detection: one detection of this detector, of the names that it looks for now.
            most: how many names.

        Raises:
            UserError: several detections, no regions, or other names than those looked for.
        """
        return self.engine.rank_names(detection, most)
