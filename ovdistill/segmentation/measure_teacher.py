"""What a teacher can segment without training: its dense embeddings against label maps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ovdistill.core.images import read_image
from ovdistill.core.logs import progress
from ovdistill.segmentation.data.label_maps import LabelMaps
from ovdistill.segmentation.data.record_maps import load_maps
from ovdistill.segmentation.dense_teacher import DenseTeacher
from ovdistill.segmentation.metrics.semantic import PixelPairs, SemanticScores, count_pairs
from ovdistill.segmentation.metrics.tables import semantic_classes
from ovdistill.segmentation.zero_shot import zero_shot_segmentation
from ovdistill.vocabulary import Vocabulary


@dataclass(frozen=True)
class SegmentationFigures:
    """What was measured, in percent.

    Attributes:
        images: number of images.
        names: W, the class names that compete.
        novel_names: how many of them are novel.
        semantic: see ``SemanticScores.metrics``.
        classes: a record for each class, see ``semantic_classes``.
    """

    images: int
    names: int
    novel_names: int
    semantic: Mapping[str, float]
    classes: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, scores: SemanticScores, maps: LabelMaps) -> SegmentationFigures:
        """Return the figures that follow from the sums of all images."""
        return cls(
            images=len(maps),
            names=len(maps.names),
            novel_names=maps.is_base.count(False),
            semantic=scores.metrics(),
            classes=semantic_classes(scores, maps.names),
        )


def score_teacher(
    teacher: DenseTeacher,
    vocabulary: Vocabulary,
    maps: LabelMaps,
    *,
    denoise: float = 0.0,
    smooth: bool = False,
) -> SemanticScores:
    """Segment images with nothing but a teacher, and score its label maps.

    Args:
        teacher: the one that embedded the vocabulary.
        vocabulary: the class names of the label maps, in their order.
        maps: the truth, with images.
        denoise: see ``zero_shot_segmentation``.
        smooth: see ``zero_shot_segmentation``.

    Raises:
        UserError: an image or a label map that cannot be read, or see ``zero_shot_segmentation``.
    """

    def pairs() -> Iterator[PixelPairs]:
        for record in progress(maps.records, title="segmentation", unit="image"):
            image = read_image(record["img_path"])
            truth, _ = load_maps(record, image.shape[:2])
            pixels = torch.from_numpy(image).permute(2, 0, 1).to(teacher.teacher.device)
            labels, _ = zero_shot_segmentation(
                teacher, pixels, vocabulary, denoise=denoise, smooth=smooth
            )
            yield count_pairs(truth, labels.cpu().numpy())

    return SemanticScores.of(pairs(), maps.is_base)
