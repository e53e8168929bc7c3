"""A two-stage detector with its post-processing as one module of tensors.

It does what ``keep_regions``, ``kept_regions`` and ``selection`` do with one set of class names, in
the same order and with the detector's own parts.

Shapes: N images of H x W pixels with padding, R regions, W class names, D embedding width, E width
of a RoI's embedding, n detections, S side of a mask in cells.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ovdistill.models.export.frozen_norm import freeze_norms
from ovdistill.models.export.pooling import PyramidPooling
from ovdistill.models.export.proposals import decode, propose
from ovdistill.models.export.rows import Rows
from ovdistill.models.export.texts import Texts, TextScores
from ovdistill.models.keep_regions import MOST_REGIONS, SAME_BOX
from ovdistill.models.open_vocabulary_rcnn import OpenVocabularyRCNN
from ovdistill.models.second_look import certainty
from ovdistill.models.tight_boxes import enlarge, tight_boxes


class Found(NamedTuple):
    """n detections of all images, those of an image best first.

    Attributes:
        image: (n,) int64, the index of the image.
        boxes: (n, 4) xyxy, absolute pixels of the network input.
        scores: (n,).
        labels: (n,) int64 classes.
        runner_up: (n,) int64, the second best class, -1 if there is none.
        runner_up_scores: (n,).
        embeddings: (n, D).
        nearest: (N,) int64, the wanted class that came nearest in each image.
        nearest_scores: (N,) its score; 0 if there are no regions.
        masks: (n, S, S) probabilities in the boxes; (0,) without masks.
    """

    image: Tensor
    boxes: Tensor
    scores: Tensor
    labels: Tensor
    runner_up: Tensor
    runner_up_scores: Tensor
    embeddings: Tensor
    nearest: Tensor
    nearest_scores: Tensor
    masks: Tensor


class Regions(NamedTuple):
    """R regions, with all that is needed to name them.

    Attributes:
        rows: their boxes, as they are reported.
        overlapping: the boxes by which they suppress each other.
        scores: (R, W) of the classes.
        embeddings: (R, E).
    """

    rows: Rows
    overlapping: Rows
    scores: Tensor
    embeddings: Tensor


class DetectorGraph(nn.Module):
    """Finds the objects in images that are tensors.

    Args:
        model: the detector, which is copied.
        same_object: see ``Limits``.
        masks: predict masks, if the detector has them.
        grouped: some class has several names.
    """

    def __init__(
        self, model: OpenVocabularyRCNN, same_object: float, *, masks: bool, grouped: bool
    ) -> None:
        super().__init__()
        self.model = copy.deepcopy(model).cpu().eval()
        self.head = self.model.roi_head
        self.mask_boxes = self.head.mask_box_settings
        self.second_look = self.head.second_look_settings
        freeze_norms(self.head)
        self.head.bbox_roi_extractor = PyramidPooling(self.head.bbox_roi_extractor)
        if self.head.with_mask:
            self.head.mask_roi_extractor = PyramidPooling(self.head.mask_roi_extractor)
        self.masks = masks and self.head.with_mask
        self.scores = TextScores(self.head, grouped=grouped)
        self.same_object = same_object

    def forward(
        self, images: Tensor, sizes: Tensor, score_threshold: Tensor, texts: Texts
    ) -> Found:
        """Return the detections.

        Args:
            images: (N, H, W, 3) uint8 RGB, in the top left of the padding.
            sizes: (N, 2) int64 height and width of each image, without the padding.
            score_threshold: () float32, the lowest score.
            texts: the class names.
        """
        x = self.model.extract_feat(self._normalized(images, sizes))
        proposals = _distinct(*propose(self.model.rpn_head, x, sizes))
        regions = self._regions(x, proposals, sizes, texts)
        row, label, scores = self._detections(regions, score_threshold, texts)
        found = regions.rows.only(row)
        runner_up, runner_up_scores = _runner_up(regions.scores[row], label, texts)
        nearest, nearest_scores = _nearest(regions, texts)
        masks = self._mask_logits(x, found)[:, 0].sigmoid() if self.masks else scores.new_zeros(0)
        return Found(
            image=found.image,
            boxes=found.boxes,
            scores=scores,
            labels=label,
            runner_up=runner_up,
            runner_up_scores=runner_up_scores,
            embeddings=regions.embeddings[row, : self.head.embed_dim],
            nearest=nearest,
            nearest_scores=nearest_scores,
            masks=masks,
        )

    def _normalized(self, images: Tensor, sizes: Tensor) -> Tensor:
        """Return (N, 3, H, W) images as mmdet's ``DetDataPreprocessor`` makes them."""
        steps = self.model.data_preprocessor
        pixels = images.permute(0, 3, 1, 2).float()
        if not steps._channel_conversion:  # the network takes BGR
            pixels = pixels.flip(1)
        if steps._enable_normalize:
            pixels = (pixels - steps.mean) / steps.std
        height, width = images.shape[1:3]
        row = torch.arange(height, device=images.device) < sizes[:, :1]
        column = torch.arange(width, device=images.device) < sizes[:, 1:]
        inside = (row[:, :, None] & column[:, None, :])[:, None]
        return torch.where(inside, pixels, float(steps.pad_value))

    def _regions(
        self, x: Sequence[Tensor], proposals: Rows, sizes: Tensor, texts: Texts
    ) -> Regions:
        """Regress the proposals, correct and name them, see ``keep_regions``."""
        head = self.head
        first = head.embed_rois(x, proposals.rois)
        decoded = decode(head.bbox_head.bbox_coder, proposals.boxes, first["bbox_pred"])
        rows = proposals.clipped(decoded, sizes)
        embeddings = first["embeddings"]
        log_scores = self.scores.log_scores(embeddings, texts)
        look = self.second_look
        if look is None:
            final = self._corrected(x, rows, sizes)
            return Regions(final, rows, self.scores.of_classes(log_scores, texts), embeddings)
        kept = rows.suppressed(certainty(log_scores), look.iou)
        kept = rows.by_image(rows.first(kept, look.most))
        rows = self._corrected(x, rows.only(kept), sizes)
        again = head.embed_rois(x, rows.rois)
        second = self.scores.log_scores(again["embeddings"], texts)
        fit = None if head.quality_head is None else head.quality_head(again["bbox_feats"])
        both = head.both_looks(log_scores[kept], second, fit, look)
        return Regions(rows, rows, self.scores.of_classes(both, texts), again["embeddings"])

    def _corrected(
        self,
        x: Sequence[Tensor],
        rows: Rows,
        sizes: Tensor,
    ) -> Rows:
        """Correct boxes by their masks, see ``MaskBoxRoIHead.correct``."""
        settings = self.mask_boxes
        if settings is None:
            return rows
        grown = rows.with_boxes(enlarge(rows.boxes, settings.expand))
        logits = self._mask_logits(x, grown)[:, 0].float()
        tight = tight_boxes(grown.boxes, logits, settings.threshold)
        share = settings.share
        return rows.clipped(share * tight + (1 - share) * rows.boxes, sizes)

    def _mask_logits(self, x: Sequence[Tensor], rows: Rows) -> Tensor:
        return self.head._mask_forward(x, rows.rois)["mask_preds"]

    def _detections(
        self, regions: Regions, score_threshold: Tensor, texts: Texts
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return region, class and score of the detections, see ``selection.select``."""
        config = self.head.test_cfg
        lowest = (score_threshold - 1e-6).clamp(min=config.score_thr)
        row, label = (regions.scores > lowest).nonzero().unbind(1)
        scores = regions.scores[row, label]
        kept = regions.overlapping.only(row).suppressed(
            scores, config.nms.iou_threshold, group=label
        )
        kept = regions.overlapping.only(row).first(kept, config.max_per_img)
        kept = kept[((scores >= score_threshold) & (label < texts.wanted))[kept].nonzero()[:, 0]]
        row, label, scores = row[kept], label[kept], scores[kept]
        found = regions.rows.only(row)
        kept = found.by_image(found.suppressed(scores, self.same_object))
        return row[kept], label[kept], scores[kept]


def _distinct(rows: Rows, scores: Tensor) -> Rows:
    """Return the rows of each image, or, of more than 300, the best distinct ones."""
    count = rows.of_image.long().sum(dim=0)
    distinct = rows.first(rows.suppressed(scores, SAME_BOX), MOST_REGIONS)
    chosen = torch.zeros_like(rows.image).index_fill(0, distinct, 1)
    few = (count <= MOST_REGIONS)[rows.image]
    return rows.only((few | (chosen > 0)).nonzero()[:, 0])


def _runner_up(scores: Tensor, label: Tensor, texts: Texts) -> tuple[Tensor, Tensor]:
    """Return the second best class of (n, W) scores, -1 if there is none, and its score."""
    column = torch.arange(scores.shape[1], device=scores.device)
    other = (column != label[:, None]) & (column <= texts.classes[-1])
    best = torch.where(other, scores, -1.0).max(dim=1)
    return torch.where(best.values >= 0, best.indices, -1), best.values.clamp(min=0)


def _nearest(regions: Regions, texts: Texts) -> tuple[Tensor, Tensor]:
    """Return the wanted class of the highest score in each image, and that score."""
    column = torch.arange(regions.scores.shape[1], device=regions.scores.device)
    best = torch.where(column < texts.wanted, regions.scores, 0.0).max(dim=1)
    scores = torch.where(regions.rows.of_image, best.values[:, None], 0.0)
    none = scores.new_zeros(1, scores.shape[1])  # an image may have no regions
    highest = torch.cat([scores, none]).max(dim=0)
    label = torch.cat([best.indices, best.indices.new_zeros(1)])
    return label[highest.indices], highest.values
