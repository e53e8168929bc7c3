"""The dense head of HierKD's one-stage detector: a word's embedding at every location.

Shapes: N images, A locations of all levels, D embedding width, W words.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmcv.cnn import Scale
from mmdet.models.dense_heads import ATSSHead
from mmdet.registry import MODELS
from mmdet.structures.bbox import bbox_overlaps
from mmdet.utils import ConfigType
from torch import Tensor, nn

from ovdistill.distillation.hierkd.loss import softmax_focal_loss
from ovdistill.vocabulary import Vocabulary


@MODELS.register_module()
class DenseRegionWordLoss(nn.Module):
    """Softmax focal loss with few negatives and a learned weight.

    Args:
        negative_share: each background location takes part with this probability; 0.1 in HierKD.
        alpha, gamma: of the focal loss.
        uncertainty: the loss is ``L exp(-s) + |s|`` with a learned s, 1 at first, as in HierKD.
    """

    use_sigmoid = False

    def __init__(
        self,
        negative_share: float = 0.1,
        alpha: float = 0.25,
        gamma: float = 2.0,
        uncertainty: bool = True,
    ) -> None:
        super().__init__()
        self.negative_share = negative_share
        self.alpha = alpha
        self.gamma = gamma
        self.log_variance = nn.Parameter(torch.tensor(1.0)) if uncertainty else None

    def forward(self, logits: Tensor, labels: Tensor, weights: Tensor, avg_factor: float) -> Tensor:
        """(A, W + 1) logits of a level and (A,) labels -> scalar; background is label W."""
        positive = labels < logits.shape[1] - 1
        drawn = torch.rand(len(labels), device=labels.device) < self.negative_share
        # as in HierKD, a level without a positive has no loss
        kept = weights * (positive | drawn) * positive.any()
        loss = softmax_focal_loss(logits, labels, kept, max(avg_factor, 1), self.alpha, self.gamma)
        if self.log_variance is None:
            return loss
        return loss * torch.exp(-self.log_variance) + self.log_variance.abs()


@MODELS.register_module()
class OpenVocabularyATSSHead(ATSSHead):
    """mmdet's ATSS head with region-word alignment at every location.

    The third branch predicts the IoU of the box, as in HierKD, in place of the centerness.

    Args:
        cls_predictor_cfg: config of a ``RegionWordHead``.
        **kwargs: as mmdet's ``ATSSHead``; one anchor a location.
    """

    def __init__(self, *args, cls_predictor_cfg: ConfigType, **kwargs) -> None:
        self.cls_predictor_cfg = cls_predictor_cfg
        # mmdet's default also names a layer that this head has not
        kwargs.setdefault("init_cfg", dict(type="Normal", layer="Conv2d", std=0.01))
        super().__init__(*args, **kwargs)

    def _init_layers(self) -> None:
        super()._init_layers()
        del self.atss_cls
        self.fc_cls = MODELS.build(
            dict(
                self.cls_predictor_cfg,
                in_features=self.feat_channels,
                out_features=self.num_classes + 1,
            )
        )

    def set_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Replaces the words."""
        self.fc_cls.set_vocabulary(vocabulary)
        self.num_classes = len(vocabulary)
        self.cls_out_channels = len(vocabulary) + 1

    @property
    def embed_dim(self) -> int:
        """Width of the embeddings, D."""
        return self.fc_cls.project.out_features

    def forward(self, x: tuple[Tensor, ...]) -> tuple[list[Tensor], ...]:
        """Levels (N, C, H_l, W_l) -> logits, box deltas and IoU logits of each, as mmdet's."""
        return self.forward_with_embeddings(x)[0]

    def forward_with_embeddings(
        self, x: tuple[Tensor, ...]
    ) -> tuple[tuple[list[Tensor], ...], list[Tensor]]:
        """Return what ``forward`` returns, and the map of embeddings (N, D, H_l, W_l) of each level."""
        levels = [self.forward_single(*level) for level in zip(x, self.scales, strict=True)]
        logits, deltas, quality, embeddings = (list(part) for part in zip(*levels, strict=True))
        return (logits, deltas, quality), embeddings

    def forward_single(self, x: Tensor, scale: Scale) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Level (N, C, H, W) -> logits (N, W + 1, H, W), box deltas, IoU logits, embeddings."""
        classes = boxes = x
        for convolution in self.cls_convs:
            classes = convolution(classes)
        for convolution in self.reg_convs:
            boxes = convolution(boxes)
        embeddings = self.fc_cls(classes.permute(0, 2, 3, 1))
        logits = self.fc_cls.align(embeddings.flatten(0, 2))
        logits = logits.unflatten(0, embeddings.shape[:3]).permute(0, 3, 1, 2)
        deltas = scale(self.atss_reg(boxes)).float()
        return logits, deltas, self.atss_centerness(boxes), embeddings.permute(0, 3, 1, 2)

    def embed_regions(
        self, embeddings: Sequence[Tensor], boxes: Tensor, image_index: Tensor
    ) -> Tensor:
        """Return the embeddings at the centres of regions.

        A region is looked up on the level whose anchors are of its size.

        Args:
            embeddings: of ``forward_with_embeddings``, a map (N, D, H_l, W_l) of each level.
            boxes: (P, 4) xyxy, absolute pixels of the network input.
            image_index: (P,) int64.

        Returns:
            (P, D) unit norm.
        """
        shapes = torch.tensor([m.shape[-2:] for m in embeddings], device=boxes.device)
        strides = boxes.new_tensor([stride[0] for stride in self.prior_generator.strides])
        sizes = strides * self.prior_generator.octave_base_scale
        side = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1).clamp(min=1e-6).sqrt()
        level = (side.log2()[:, None] - sizes.log2()).abs().argmin(dim=1)
        cell = (boxes[:, :2] + boxes[:, 2:]) / 2 / strides[level, None]
        limit = shapes[level].flip(1) - 1
        column, row = torch.minimum(cell.long().clamp(min=0), limit).unbind(dim=1)
        starts = shapes.prod(dim=1).cumsum(0) - shapes.prod(dim=1)
        flat = torch.cat([m.flatten(2) for m in embeddings], dim=2).transpose(1, 2)
        return flat[image_index, starts[level] + row * shapes[level, 1] + column]

    def loss_by_feat_single(
        self,
        anchors: Tensor,
        cls_score: Tensor,
        bbox_pred: Tensor,
        centerness: Tensor,
        labels: Tensor,
        label_weights: Tensor,
        bbox_targets: Tensor,
        avg_factor: float,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """As mmdet's, with the IoU of the predicted box in place of the centerness."""
        labels = labels.reshape(-1)
        logits = cls_score.permute(0, 2, 3, 1).flatten(0, 2)
        loss_cls = self.loss_cls(logits, labels, label_weights.reshape(-1), avg_factor=avg_factor)
        predicted = self.bbox_coder.decode(
            anchors.reshape(-1, 4), bbox_pred.permute(0, 2, 3, 1).reshape(-1, 4)
        )
        quality = centerness.permute(0, 2, 3, 1).reshape(-1)
        targets = bbox_targets.reshape(-1, 4)
        positive = labels < self.num_classes
        iou = bbox_overlaps(predicted.detach(), targets, is_aligned=True).clamp(min=0)
        iou = torch.where(positive, iou, 0)
        loss_bbox = self.loss_bbox(predicted, targets, weight=iou, avg_factor=1.0)
        loss_quality = self.loss_centerness(
            quality, iou, weight=positive.float(), avg_factor=max(avg_factor, 1)
        )
        return loss_cls, loss_bbox, loss_quality, iou.sum()
