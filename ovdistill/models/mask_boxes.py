"""Boxes corrected by their masks.

A box regressor learns where objects of the base classes end, and cuts off parts of other objects
(the shaft of an arrow that looks like a triangle). Masks generalise better, because pixels are
local.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmdet.models.roi_heads import StandardRoIHead
from mmdet.registry import MODELS
from mmdet.structures.bbox import bbox2roi, scale_boxes
from mmdet.utils import InstanceList
from torch import Tensor

from ovdistill.models.look_settings import MaskBoxes, read_settings
from ovdistill.models.paste_masks import paste_masks
from ovdistill.models.tight_boxes import clip_boxes, enlarge, tight_boxes


@MODELS.register_module()
class MaskBoxRoIHead(StandardRoIHead):
    """mmdet's standard RoI head; with ``test_cfg.mask_boxes`` its masks correct the boxes.

    ``mask_boxes=dict(expand=1.15, ...)``, the arguments of ``MaskBoxes``: the box of each detection
    is enlarged and a mask is predicted in it. The new box is a weighted mean of the box around the
    mask and the regressed box. This costs a second pass of the mask head.
    ``test_cfg.without_masks=True`` leaves the masks themselves out of the results, for proposals.

    Args:
        *args: as for mmdet's ``StandardRoIHead``.
        **kwargs: as for mmdet's ``StandardRoIHead``.

    Raises:
        UserError: see ``read_settings``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # they are read again when they are used; a slip ends the build, not the first validation
        read_settings(MaskBoxes, self.test_cfg or {}, "mask_boxes")

    def predict_mask(
        self,
        x: tuple[Tensor, ...],
        batch_img_metas: list[dict],
        results_list: InstanceList,
        rescale: bool = False,  # noqa: FBT001, FBT002 (mmdet's signature)
    ) -> InstanceList:
        """Return detections with masks as mmdet's head does, for the corrected boxes.

        Args:
            x: pyramid levels, each (N, C, H_l, W_l).
            batch_img_metas: metadata of the N images.
            results_list: detections of each image, with boxes in pixels of the network input.
            rescale: return boxes and masks in pixels of the original image.
        """
        boxes = [results.bboxes for results in results_list]
        if self.corrects_detections:
            boxes = self.correct(x, batch_img_metas, boxes)
        if not self.test_cfg.get("without_masks"):
            self._add_masks(x, batch_img_metas, results_list, boxes, rescale=rescale)
        for results, own, meta in zip(results_list, boxes, batch_img_metas, strict=True):
            scale = [1 / factor for factor in meta["scale_factor"]] if rescale else (1.0, 1.0)
            results.bboxes = scale_boxes(own, scale)
        return results_list

    @property
    def mask_box_settings(self) -> MaskBoxes | None:
        """How masks correct boxes; None if they do not."""
        return read_settings(MaskBoxes, self.test_cfg, "mask_boxes")

    @property
    def corrects_detections(self) -> bool:
        """Whether ``predict_mask`` corrects the boxes that it is given."""
        return self.mask_box_settings is not None

    def _add_masks(
        self,
        x: tuple[Tensor, ...],
        metas: list[dict],
        results_list: InstanceList,
        boxes: Sequence[Tensor],
        *,
        rescale: bool,
    ) -> None:
        """Add ``masks`` (n, H, W) to the detections of each image, whose boxes these are.

        A box that is detected as several classes has one mask, which is predicted once: on
        OVShapes 43 boxes of 100 detections.
        """
        distinct = [own.unique(dim=0, return_inverse=True) for own in boxes]
        counts = [len(own) for own, _ in distinct]
        logits = self.mask_logits(x, [own for own, _ in distinct]).split(counts)
        for results, own, (box, index), meta in zip(
            results_list, logits, distinct, metas, strict=True
        ):
            results.masks = self.paste(own, box, meta, rescale=rescale)[index]

    def paste(self, logits: Tensor, boxes: Tensor, meta: dict, *, rescale: bool) -> Tensor:
        """Return the masks of boxes in their image, (n, H, W) bool.

        Args:
            logits: (n, 1, S, S) mask logits in the boxes.
            boxes: (n, 4) xyxy, absolute pixels of the network input.
            meta: metadata of the image.
            rescale: H and W are those of the original image, or else of the network input without
                its padding.
        """
        across, down = meta["scale_factor"]
        height, width = meta["ori_shape"][:2]
        if rescale:
            boxes = scale_boxes(boxes, [1 / across, 1 / down])
        else:
            height, width = round(height * down), round(width * across)
        threshold = self.test_cfg.mask_thr_binary
        return paste_masks(logits[:, 0], boxes, (height, width), threshold)

    def mask_logits(self, x: tuple[Tensor, ...], boxes: Sequence[Tensor]) -> Tensor:
        """Return the (n, 1, S, S) mask logits in the n boxes of all images.

        Args:
            x: pyramid levels.
            boxes: (n_i, 4) xyxy of each image, absolute pixels of the network input.

        Raises:
            TypeError: the mask head predicts one mask for each class.
        """
        logits = self._mask_forward(x, bbox2roi(list(boxes)))["mask_preds"]
        if logits.shape[1] != 1:
            raise TypeError("expected a class-agnostic mask head")
        return logits

    def correct(
        self, x: tuple[Tensor, ...], metas: list[dict], boxes: Sequence[Tensor]
    ) -> list[Tensor]:
        """Return the boxes of each image as masks correct them, by ``mask_box_settings``.

        Args:
            x: pyramid levels.
            metas: metadata of the images.
            boxes: (n, 4) xyxy of each image, absolute pixels of the network input.

        Raises:
            TypeError: the mask head predicts one mask for each class.
        """
        settings = self.mask_box_settings
        counts = [len(own) for own in boxes]
        if settings is None or not sum(counts):
            return list(boxes)
        grown = [enlarge(own, settings.expand) for own in boxes]
        logits = self.mask_logits(x, grown)
        tight = tight_boxes(torch.cat(grown), logits[:, 0].float(), settings.threshold)
        share = settings.share
        return [
            clip_boxes(share * around + (1 - share) * own, meta["img_shape"])
            for own, around, meta in zip(boxes, tight.split(counts), metas, strict=True)
        ]
