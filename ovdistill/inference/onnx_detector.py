"""OnnxDetector: runs what `ovdistill export` wrote, with onnxruntime, numpy and Pillow alone.

Shapes: N images of H x W pixels, G classes, W class names, D embedding width.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ovdistill.core.class_names import clean_name
from ovdistill.core.errors import UserError
from ovdistill.core.extras import import_extra
from ovdistill.inference.detections import Detections
from ovdistill.inference.image_stream import collect, look_at_images
from ovdistill.inference.large_images import reduced_size
from ovdistill.inference.limits import Limits, make_limits
from ovdistill.inference.numpy_images import fitting_size, pad_images, resize
from ovdistill.inference.numpy_masks import paste_masks
from ovdistill.inference.onnx_header import INPUTS, OUTPUTS, OnnxHeader
from ovdistill.inference.onnx_session import check_graph, check_outputs, open_session
from ovdistill.inference.sources import find_sources


class OnnxDetector:
    """Finds objects with an exported detector, as ``Detector`` does, without torch.

    Example:
        >>> detector = OnnxDetector("model.onnx")
        >>> detector.predict("image.png", score_threshold=0.5).save("found.json")

    Args:
        path: what `ovdistill export` wrote.
        threads: of the CPU; by default, all cores.
        providers: onnxruntime's names of devices, such as "CUDAExecutionProvider"; by default,
            those that are installed.

    Raises:
        UserError: no such file, no exported detector, or a missing extra.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        threads: int | None = None,
        providers: Sequence[str] | None = None,
    ) -> None:
        self._session = open_session(Path(path), threads, providers)
        metadata = self._session.get_modelmeta().custom_metadata_map
        self.header = OnnxHeader.from_metadata(metadata, os.fspath(path))
        self._texts: dict[str, np.ndarray] = {}  # by default those in the file
        check_graph(self._session, self.header, os.fspath(path))

    @property
    def queries(self) -> tuple[str, ...]:
        """The names that the detector looks for."""
        return self.header.queries

    def set_texts(
        self,
        vocabulary: str | os.PathLike[str],
        background: str | os.PathLike[str] | None = None,
    ) -> None:
        """Look for the class names of a vocabulary file from now on.

        Args:
            vocabulary: a file of the detector's teacher, see `ovdistill vocab build`.
            background: a file whose class names compete with them and are not reported, except
                those that ``vocabulary`` has too, in whatever spelling. Synonyms and kinds of them
                compete, which ``Detector.set_vocabulary`` leaves out.

        Raises:
            UserError: the detector was exported without `--texts-as-input`, no such file, or
                embeddings of another width or teacher.
        """
        if not self.header.texts_as_input:
            raise UserError(
                f"the names {self.queries} are fixed in this file: export it again with "
                "--texts-as-input"
            )
        import_extra("safetensors", "onnx")
        names, embeddings, is_base = _read_vocabulary(vocabulary, self.header)
        wanted = len(names)
        if background is not None:
            others, *arrays = _read_vocabulary(background, self.header)
            own = {clean_name(name) for name in names}
            new = [row for row, name in enumerate(others) if clean_name(name) not in own]
            names = (*names, *(others[row] for row in new))
            embeddings, is_base = (
                np.concatenate([array, added[new]])
                for array, added in zip((embeddings, is_base), arrays, strict=True)
            )
        given = {
            "texts": embeddings,
            "is_base": is_base,
            "classes": np.arange(len(names), dtype=np.int64),
            "wanted": np.array(wanted, dtype=np.int64),
        }
        taken = {value.name for value in self._session.get_overridable_initializers()}
        self._texts = {name: array for name, array in given.items() if name in taken}
        self.header = replace(self.header, names=names, wanted=wanted, phrases=names)

    def predict(
        self,
        images: Any,
        score_threshold: float | Mapping[str, float] = 0.3,
        max_dets: int = 100,
        *,
        batch_size: int = 1,
    ) -> Any:
        """Detect objects in an image, or in many; see ``Detector.predict``.

        Args:
            images: a path, a pattern such as "photos/**/*.jpg", a folder, a PIL image, (H, W, 3)
                uint8 RGB, the bytes of a file, or a list of these; see ``find_sources``.
            score_threshold: the lowest score of a detection; or that of some names, the others
                keep 0.3.
            max_dets: the largest number of detections in an image.
            batch_size: images in a run of the network.

        Returns:
            The ``Detections`` in an image; for a folder, a pattern or a list a list of them, which
            name their files and hold little, see ``Detections.compact``.

        Raises:
            UserError: an image that cannot be read, or a score that is none.
        """
        sources = find_sources(images)
        limits = make_limits(score_threshold, max_dets, self.queries)
        detect = partial(self.detect, limits=limits)
        return collect(look_at_images(sources, detect, batch_size), single=sources.single)

    __call__ = predict

    def detect(self, images: Sequence[np.ndarray], limits: Limits) -> list[Detections]:
        """Detect objects in a batch of (H, W, 3) uint8 RGB images of any sizes."""
        header = self.header
        seen = [_reduced(image) for image in images]
        fitting = [
            fitting_size(
                (image.shape[0], image.shape[1]), header.scale, keep_ratio=header.keep_ratio
            )
            for image in seen
        ]
        resized = [resize(image, size) for image, size in zip(seen, fitting, strict=True)]
        curve = header.calibration
        lowest = curve.score(limits.lowest) if curve else limits.lowest
        inputs = (
            pad_images(resized, header.divisor),
            np.array(fitting, dtype=np.int64),
            np.array(lowest, dtype=np.float32),
        )
        outputs = self._session.run(OUTPUTS, dict(zip(INPUTS, inputs, strict=True)) | self._texts)
        values = dict(zip(OUTPUTS, outputs, strict=True))
        check_outputs(values, len(header.names))
        return [
            self._detections(values, index, small.shape[:2], size, image.shape[:2], limits)
            for index, (small, size, image) in enumerate(zip(seen, fitting, images, strict=True))
        ]

    def _detections(
        self,
        values: Mapping[str, np.ndarray],
        index: int,
        seen: tuple[int, int],
        fitting: Sequence[int],
        size: tuple[int, int],
        limits: Limits,
    ) -> Detections:
        """Return the detections of one image.

        Args:
            values: outputs of the network, by name.
            index: of the image.
            seen: H and W of the image as it was reduced.
            fitting: h and w of the network input.
            size: H and W of the image.
            limits: which detections to return.
        """
        own = (values["image"] == index).nonzero()[0]
        factor = np.array([fitting[1] / seen[1], fitting[0] / seen[0]] * 2, dtype=np.float32)
        boxes = values["boxes"][own] / factor
        threshold, labels = self.header.mask_threshold, values["labels"][own]
        names = self.header.names
        masks = None
        if threshold is not None:
            masks = paste_masks(values["masks"][own], boxes, seen, threshold)
        found = limits.applied(
            Detections(
                boxes=boxes,
                scores=self._probabilities(values["scores"][own]),
                labels=labels,
                names=tuple(names[label] for label in labels),
                masks=masks,
                size=seen,
                queries=self.queries,
                runner_up_names=tuple(
                    None if label < 0 else names[label] for label in values["runner_up"][own]
                ),
                runner_up_scores=self._probabilities(values["runner_up_scores"][own]),
                embeddings=values["embeddings"][own],
            )
        )
        score = values["nearest_scores"][index : index + 1]
        if not len(found) and limits.lowest and score[0] > self.header.least_score:
            nearest = names[values["nearest"][index]], float(self._probabilities(score)[0])
            found = replace(found, nearest=nearest)
        return found if seen == size else found.moved(seen, size)

    def _probabilities(self, scores: np.ndarray) -> np.ndarray:
        curve = self.header.calibration
        return curve.probabilities(scores) if curve else scores


def _read_vocabulary(
    path: str | os.PathLike[str], header: OnnxHeader
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Return names, (W, D) embeddings and (W,) bool base classes of a vocabulary file."""
    from ovdistill.core.vocabulary_header import open_vocabulary_file, parse_header

    with open_vocabulary_file(path, "np") as file:
        found = parse_header(file)
        if found.embed_dim != header.embed_dim or not header.teacher.is_same(found.teacher):
            raise UserError(
                f"got text embeddings of width {found.embed_dim} by {found.teacher}; expected "
                f"width {header.embed_dim} by {header.teacher}, the detector's teacher"
            )
        embeddings = file.get_tensor("embeddings")
        if not np.isfinite(embeddings).all():
            raise UserError("got text embeddings that are not finite numbers")
        return found.names, embeddings, file.get_tensor("is_base")


def _reduced(image: np.ndarray) -> np.ndarray:
    """Return a very large image smaller, see ``large_images``."""
    height, width = reduced_size((image.shape[0], image.shape[1]))
    if image.shape[:2] == (height, width):
        return image
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BOX))
