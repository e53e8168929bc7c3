"""Transforms that add what the teacher says of an image: its regions and a caption."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from mmcv.transforms.base import BaseTransform
from mmdet.registry import TRANSFORMS

from ovdistill.store import Caption, CaptionStore, TeacherStore


@TRANSFORMS.register_module()
class LoadTeacherRegions(BaseTransform):
    """Adds the teacher's regions of an image, still in pixels of the original.

    Args:
        store: folder of a ``TeacherStore``.
        max_regions: keep that many regions of the highest objectness.
    """

    def __init__(self, store: str | Path, max_regions: int = 300) -> None:
        self.store = TeacherStore(store)
        self.max_regions = max_regions

    def transform(self, results: dict) -> dict:
        """Fills ``teacher_regions``, a ``Regions``.

        Raises:
            UserError: the store does not hold this image.
        """
        results["teacher_regions"] = self.store[results["img_id"]].top(self.max_regions)
        return results


@TRANSFORMS.register_module()
class LoadTeacherCaption(BaseTransform):
    """Adds one caption of the image, drawn at random, in the teacher's words.

    Args:
        store: file of a ``CaptionStore``.
        max_phrases: keep the first so many noun phrases of it.
    """

    def __init__(self, store: str | Path, max_phrases: int = 10) -> None:
        self.store = CaptionStore(store)
        self.max_phrases = max_phrases

    def transform(self, results: dict) -> dict:
        """Fills ``teacher_caption``, a ``Caption``.

        Raises:
            UserError: the store has no caption of this image.
        """
        captions = self.store[results["img_id"]]
        caption = captions[np.random.randint(len(captions))]
        results["teacher_caption"] = Caption(caption.embedding, caption.phrases[: self.max_phrases])
        return results
