"""Detector: finds the objects that texts describe, in any images."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from ovdistill.core.images import ImageError
from ovdistill.inference.asked import AUTO, Asked, Background, Text
from ovdistill.inference.calibration import Calibration
from ovdistill.inference.detections import Detections
from ovdistill.inference.engine import Engine
from ovdistill.inference.image_stream import collect, look_at_images
from ovdistill.inference.limits import Limits, make_limits
from ovdistill.inference.pretrained import SHIPPED, find_detector
from ovdistill.inference.sources import ImageSource, find_sources
from ovdistill.inference.text_model import TextModel
from ovdistill.inference.video.frames import predict_video


class Detector(TextModel[Engine]):
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
        UserError: no such config or device, or a config of a segmentor.
    """

    segments = False

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
    def calibration(self) -> Calibration | None:
        """What turns its scores into probabilities, None if it was not calibrated."""
        path = self.files.calibration
        return None if path is None else Calibration.load(path, self.files.weights)

    def build_network(self, asked: Asked) -> Engine:
        """Build the network; see ``TextModel``."""
        weights, curve = self.files.weights, self.calibration
        return Engine(self.config, weights, self.device, asked, curve, half=self.half)

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
            name their files and hold little, see ``Detections.compact``.

        Raises:
            UserError: nothing to look for, or an image that cannot be read.
        """
        if text is not None:
            self.set_vocabulary(text, background)
        sources = find_sources(images)
        single = sources.single
        keep = single if keep_regions is None else keep_regions
        limits = make_limits(score_threshold, max_dets, self.queries)
        results = self.stream(sources, limits, batch_size, keep_regions=keep)
        return collect(results, single=single)

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
            Other texts that are set meanwhile change nothing in them.

        Raises:
            UserError: nothing to look for.
        """
        detect = partial(self.engine.detect, limits=limits, keep_regions=keep_regions)
        return look_at_images(sources, self.engine.keeping_asked(detect), batch_size)

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
            Index, time in seconds and ``Detections`` of each frame that was looked at. Other texts
            that are set meanwhile change nothing in them.

        Raises:
            UserError: nothing to look for, a video that cannot be read, or a missing extra.
        """
        if text is not None:
            self.set_vocabulary(text, background)
        limits = make_limits(score_threshold, max_dets, self.queries)
        detect = partial(self.engine.detect, limits=limits, keep_regions=False)
        own = self.engine.keeping_asked(detect)
        return predict_video(
            Path(path), own, limits.lowest, every=every, batch_size=batch_size, track=track
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
