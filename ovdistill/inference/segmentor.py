"""Segmentor: gives every pixel of an image one of the names that texts are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ovdistill.core.errors import UserError
from ovdistill.core.images import ImageError
from ovdistill.inference.asked import AUTO, Asked, Background, Text
from ovdistill.inference.image_stream import collect, look_at_images
from ovdistill.inference.model_kind import dense_scale
from ovdistill.inference.pretrained import find_detector
from ovdistill.inference.segmentation_engine import SegmentationEngine
from ovdistill.inference.segmentation_result import SegmentationResult
from ovdistill.inference.sources import ImageSource, find_sources
from ovdistill.inference.text_model import TextModel
from ovdistill.segmentation.dense_teacher import DenseTeacher


class Segmentor(TextModel[SegmentationEngine]):
    """Gives the pixels of images the names that are asked for.

    Examples:
        >>> segmentor = Segmentor.from_pretrained("my_segmentor")
        >>> result = segmentor.predict("image.jpg", "sky, road, striped star")
        >>> result.shares["road"]

    Args:
        files: config, weights and vocabulary of the segmentor, see ``from_pretrained``.
        device: 'cpu', 'cuda', 'cuda:1', ... By default, a GPU if there is one.
        teacher: the teacher that encodes texts. By default, the one that the config names.
        overrides: values that replace those of the config, by dotted key.
        half: run the network in half precision, float16 on a GPU and bfloat16 on a CPU; embeddings
            and scores are computed in float32.

    Raises:
        UserError: no such config or device, or a config of a detector.
    """

    segments = True

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        checkpoint: str | Path | None = None,
        *,
        revision: str | None = None,
        **options: Any,
    ) -> Segmentor:
        """Load a trained segmentor.

        Args:
            source: a folder that `ovdistill publish` wrote, the folder of a training, a repository
                of the model hub, or a config; see ``find_detector``.
            checkpoint: weights for a config.
            revision: of the repository on the hub.
            **options: see ``Segmentor``.

        Raises:
            UserError: nothing of this name, or see ``Segmentor``.
        """
        return cls(find_detector(source, checkpoint, revision), **options)

    def build_network(self, asked: Asked) -> SegmentationEngine:
        """Build the network; see ``TextModel``."""
        engine = SegmentationEngine(
            self.config, self.files.weights, self.device, asked, half=self.half
        )
        if engine.model.predicts_with_teacher:
            engine.model.set_dense_teacher(DenseTeacher(self.teacher, dense_scale(self.config)))
        return engine

    def set_known_names(self) -> None:
        """Set the class names of the training, all of them and nothing else.

        Raises:
            UserError: their file is not there.
        """
        if self.known is None:
            raise UserError(
                f"nothing to look for: the class names of the training are not there "
                f"({self.config.get('vocabulary')}); give a text"
            )
        self.set_vocabulary(self.known)

    def predict(
        self,
        images: Any,
        text: Text | None = None,
        score_threshold: float = 0.0,
        *,
        background: Background = AUTO,
        batch_size: int = 1,
        keep_scores: bool | None = None,
    ) -> Any:
        """Give the pixels of an image, or of many, their names.

        Args:
            images: a path, a pattern such as "photos/**/*.jpg", a folder, a PIL image, (H, W, 3)
                uint8 RGB, a (3, H, W) tensor, the bytes of a file, or a list of these; see
                ``find_sources``.
            text: the names, see ``set_vocabulary``; by default, what was set last, and at first the
                class names of the training.
            score_threshold: pixels whose best name has a lower score have none.
            background: texts that compete for pixels and are not reported, see ``set_vocabulary``;
                taken with ``text``. With None every pixel has one of the names.
            batch_size: images in a forward pass.
            keep_scores: keep what ``SegmentationResult.scores`` needs, some megabytes an image. By
                default for a single image.

        Returns:
            The ``SegmentationResult`` of an image; for a folder, a pattern or a list a list of
            them, which name their files and do not hold the images. Each pixel takes 8 bytes, so
            of very many images ``stream`` gives one after another.

        Raises:
            UserError: no names, a score that is none, or an image that cannot be read.
        """
        if text is not None:
            self.set_vocabulary(text, background)
        elif not self.queries:
            self.set_known_names()
        sources = find_sources(images)
        single = sources.single
        keep = single if keep_scores is None else keep_scores
        results = self.stream(sources, score_threshold, batch_size, keep_scores=keep)
        return collect(results, single=single)

    __call__ = predict

    def stream(
        self,
        sources: Sequence[ImageSource],
        score_threshold: float = 0.0,
        batch_size: int = 1,
        *,
        keep_scores: bool = False,
    ) -> Iterator[tuple[ImageSource, SegmentationResult | ImageError]]:
        """Segment one image after another; one that cannot be read stops no other.

        Args:
            sources: the images, see ``find_sources``.
            score_threshold: see ``predict``.
            batch_size: images in a forward pass.
            keep_scores: see ``predict``.

        Returns:
            An iterator of each source with its result, or with the error of an image that cannot be
            read. Other texts that are set meanwhile change nothing in them.

        Raises:
            UserError: no names, or a score that is none.
        """
        if not 0 <= score_threshold <= 1:
            raise UserError(
                f"got the score threshold {score_threshold}; expected a number in [0, 1]"
            )
        segment = partial(
            self.engine.segment, score_threshold=score_threshold, keep_scores=keep_scores
        )
        return look_at_images(sources, self.engine.keeping_asked(segment), batch_size)
