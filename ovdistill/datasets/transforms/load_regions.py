"""Transforms that add the teacher's embeddings of an image: of its regions and of a caption."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from mmcv.transforms.base import BaseTransform
from mmdet.registry import TRANSFORMS

from ovdistill.store import Caption, CaptionStore, TeacherStore
from ovdistill.store.meta import check_regions


@TRANSFORMS.register_module()
class LoadTeacherRegions(BaseTransform):
    """Add the distillation regions of an image: boxes and teacher embeddings.

    Args:
        store: folder of a ``TeacherStore``.
        max_regions: keep at most this many regions, those of the highest objectness.

    Raises:
        UserError: see ``TeacherStore``, or a store without any region.
    """

    def __init__(self, store: str | Path, max_regions: int = 300) -> None:
        self.store = TeacherStore(store)
        check_regions(self.store.folder, self.store.meta)
        self.max_regions = max_regions

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add ``teacher_regions``, a ``Regions`` with boxes in pixels of the original image.

        Raises:
            UserError: the store does not hold this image.
        """
        results["teacher_regions"] = self.store[results["img_id"]].top(self.max_regions)
        return results


@TRANSFORMS.register_module()
class LoadTeacherCaption(BaseTransform):
    """Add one caption of the image, drawn at random, as embedded by the teacher.

    Args:
        store: file of a ``CaptionStore``.
        max_phrases: keep at most this many noun phrases of the caption, the first ones.
    """

    def __init__(self, store: str | Path, max_phrases: int = 10) -> None:
        self.store = CaptionStore(store)
        self.max_phrases = max_phrases

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add ``teacher_caption``, a ``Caption``.

        Raises:
            UserError: the store has no caption of this image.
        """
        captions = self.store[results["img_id"]]
        caption = captions[np.random.randint(len(captions))]
        results["teacher_caption"] = Caption(caption.embedding, caption.phrases[: self.max_phrases])
        return results
