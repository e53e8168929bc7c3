"""The last transform of a pipeline: packs the image and moves its regions as it was moved.

Shapes: P distillation regions, M noun phrases, D embedding width.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmdet.datasets.transforms import PackDetInputs
from mmdet.registry import TRANSFORMS
from mmdet.structures.bbox import HorizontalBoxes
from mmengine.structures import InstanceData

from ovdistill.core.errors import UserError


@TRANSFORMS.register_module()
class PackOVInputs(PackDetInputs):
    """Pack an image as mmdet does, with its distillation regions moved as the image was moved.

    mmdet's geometric transforms (Resize, RandomFlip, RandomCrop, RandomAffine, ...) record the
    homography they applied. The regions take that one map at the end, so any chain of them
    moves regions and image together. Transforms that mix images (Mosaic, MixUp, CopyPaste)
    record none and cannot be combined with regions. Nor can Pad, which hides where the image
    ends; the data preprocessor pads batches.

    Args:
        min_side: a region with a side below this many pixels of the network input, after being
            clipped to it, is dropped.
        min_visible: a region with less than this share of its area inside the network input is
            dropped, because its embedding describes what is no longer there.
        **kwargs: as mmdet's ``PackDetInputs``.
    """

    def __init__(self, min_side: float = 2.0, min_visible: float = 0.5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.min_side = min_side
        self.min_visible = min_visible

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Pack the image; add what ``LoadTeacherRegions`` and ``LoadTeacherCaption`` loaded.

        Returns:
            ``inputs`` and ``data_samples``, as mmdet's. For regions the sample gets
            ``teacher_regions``: ``bboxes`` (P, 4) xyxy, absolute pixels of the network input,
            ``objectness`` (P,) and ``embeddings`` (P, D) float32. For a caption it gets
            ``teacher_caption``: ``embeddings`` (1, D), and ``teacher_phrases``: ``embeddings``
            (M, D) of the caption's noun phrases. The marks ``image_level`` of ``OVDataset`` and
            ``flip`` of a flipped image come into its metainfo, whatever ``meta_keys`` are.

        Raises:
            UserError: the regions cannot follow a transform of the pipeline.
        """
        if min(results["img"].strides) < 0:
            # flipped; mmdet does not see it where a side has one pixel
            results["img"] = results["img"].copy()
        packed = super().transform(results)
        for mark in ("image_level", "flip"):
            if results.get(mark, False):
                packed["data_samples"].set_metainfo({mark: True})
        if "teacher_regions" in results:
            if "pad_shape" in results or "mix_results" in results:
                raise UserError(
                    "Pad, Mosaic, MixUp or CopyPaste in a pipeline with distillation regions: take "
                    "it out (model.data_preprocessor pads batches)."
                )
            packed["data_samples"].teacher_regions = self._move(results)
        if "teacher_caption" in results:
            caption = results["teacher_caption"]
            packed["data_samples"].teacher_caption = InstanceData(
                embeddings=caption.embedding[None]
            )
            packed["data_samples"].teacher_phrases = InstanceData(embeddings=caption.phrases)
        return packed

    def _move(self, results: dict[str, Any]) -> InstanceData:
        """Apply the image's homography to its regions; drop those that have left the image."""
        regions = results["teacher_regions"]
        boxes = HorizontalBoxes(regions.boxes.clone())
        boxes.project_(results.get("homography_matrix", np.eye(3, dtype=np.float32)))
        areas = boxes.areas
        boxes.clip_(results["img_shape"][:2])
        kept = (
            (boxes.widths >= self.min_side)
            & (boxes.heights >= self.min_side)
            & (boxes.areas >= self.min_visible * areas)
        )
        return InstanceData(
            bboxes=boxes.tensor[kept],
            objectness=regions.objectness[kept],
            embeddings=regions.embeddings[kept].to(torch.float32),
        )
