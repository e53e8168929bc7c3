"""The dense head of HierKD's one-stage detector: an embedding at every location.

Shapes: N images, C channels of the pyramid, A locations of a level in all images, P distillation
regions, D embedding width, W class names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from mmcv.cnn import Scale
from mmdet.models.dense_heads import ATSSHead
from mmdet.models.utils import multi_apply
from mmdet.registry import MODELS
from mmdet.structures.bbox import bbox_overlaps
from mmdet.utils import ConfigType
from torch import Tensor, nn

from ovdistill.distillation.hierkd.loss import softmax_focal_loss
from ovdistill.models.region_word_loss import check_pair
from ovdistill.vocabulary import Vocabulary

# logits, box deltas and IoU logits, a map for each level
Outputs = tuple[list[Tensor], list[Tensor], list[Tensor]]


@MODELS.register_module()
class DenseRegionWordLoss(nn.Module):
    """Softmax focal loss with few negatives, and a learned weight of the sum over levels.

    It belongs to a ``RegionWordHead`` with a background, in an ``OpenVocabularyATSSHead``.

    Args:
        negative_share: probability with which a background location is used; 0.1 in HierKD.
        alpha: factor on the focal loss of every location.
        gamma: exponent of the modulating factor.
        uncertainty: ``total`` is ``L exp(-s) + |s|`` with a learned s, initially 1, as in HierKD.
    """

    use_sigmoid = False
    score: ClassVar[str] = "softmax"  # of the heads that it belongs to

    def __init__(
        self,
        negative_share: float = 0.1,
        alpha: float = 0.25,
        gamma: float = 2.0,
        *,
        uncertainty: bool = True,
    ) -> None:
        super().__init__()
        self.negative_share = negative_share
        self.alpha = alpha
        self.gamma = gamma
        self.log_variance = nn.Parameter(torch.tensor(1.0)) if uncertainty else None

    def forward(self, logits: Tensor, labels: Tensor, weights: Tensor, avg_factor: float) -> Tensor:
        """Return the loss of a level, a scalar without the learned weight.

        Args:
            logits: (A, W + 1) similarities over temperature, the background last.
            labels: (A,) int64 in [0, W]; W is the background.
            weights: (A,) weight of each location.
            avg_factor: the number of positive locations of all levels.
        """
        positive = labels < logits.shape[1] - 1
        drawn = torch.rand(len(labels), device=labels.device) < self.negative_share
        # as in HierKD, a level without a positive has no loss
        kept = weights * (positive | drawn) * positive.any()
        return softmax_focal_loss(logits, labels, kept, max(avg_factor, 1), self.alpha, self.gamma)

    def total(self, levels: Sequence[Tensor]) -> Tensor:
        """Return the sum of the levels' losses, with the learned weight once; a scalar."""
        loss = torch.stack(tuple(levels)).sum()
        if self.log_variance is None:
            return loss
        return loss * torch.exp(-self.log_variance) + self.log_variance.abs()


@MODELS.register_module()
class OpenVocabularyATSSHead(ATSSHead):
    """mmdet's ATSS head with region-word alignment at every location.

    The third branch predicts the IoU of the box, as in HierKD, in place of the centerness.

    Args:
        *args: as for mmdet's ``ATSSHead``.
        cls_predictor_cfg: config of a ``RegionWordHead``.
        **kwargs: as for mmdet's ``ATSSHead``, with one anchor at each location and a
            ``DenseRegionWordLoss`` as ``loss_cls``.

    Raises:
        UserError: another loss, or a ``RegionWordHead`` whose scores it does not take.
    """

    num_classes: int

    def __init__(self, *args: Any, cls_predictor_cfg: ConfigType, **kwargs: Any) -> None:
        self.cls_predictor_cfg = cls_predictor_cfg
        # mmdet's default also names a layer that this head has not
        kwargs.setdefault("init_cfg", dict(type="Normal", layer="Conv2d", std=0.01))
        super().__init__(*args, **kwargs)
        check_pair(self.fc_cls, self.loss_cls, DenseRegionWordLoss)

    def _init_layers(self) -> None:
        """Build mmdet's layers, with a ``RegionWordHead`` in place of the classification layer."""
        super()._init_layers()
        del self.atss_cls
        self.fc_cls = MODELS.build(
            dict(
                self.cls_predictor_cfg,
                in_features=self.feat_channels,
                out_features=self.num_classes + 1,
            )
        )

    @property
    def embed_dim(self) -> int:
        """Width of the embeddings, D."""
        return self.fc_cls.project.out_features

    def set_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Replace the class names."""
        self.fc_cls.set_vocabulary(vocabulary)
        self.num_classes = len(vocabulary)
        self.cls_out_channels = len(vocabulary) + 1

    def forward(self, x: tuple[Tensor, ...]) -> Outputs:
        """Return what mmdet's head returns for pyramid levels (N, C, H_l, W_l)."""
        return self.forward_with_embeddings(x)[0]

    def forward_with_embeddings(self, x: tuple[Tensor, ...]) -> tuple[Outputs, list[Tensor]]:
        """Return the outputs of ``forward``, and the embeddings (N, D, H_l, W_l) of each level."""
        *outputs, embeddings = multi_apply(self.forward_single, x, self.scales)
        return tuple(outputs), embeddings

    def forward_single(self, x: Tensor, scale: Scale) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Run the branches on one level.

        Args:
            x: (N, C, H, W).
            scale: the learned factor on the box deltas of this level.

        Returns:
            Logits (N, W + 1, H, W), box deltas (N, 4, H, W), IoU logits (N, 1, H, W) and embeddings
            (N, D, H, W) of unit norm.
        """
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
        """Return the embeddings at the locations whose anchors are nearest to the regions' centres.

        Args:
            embeddings: of ``forward_with_embeddings``, a map (N, D, H_l, W_l) of each level.
            boxes: (P, 4) xyxy, absolute pixels of the network input.
            image_index: (P,) int64 index in [0, N) of the image of each region.

        Returns:
            (P, D) unit norm.
        """
        shapes = torch.tensor([m.shape[-2:] for m in embeddings], device=boxes.device)
        strides, level = self._strides(boxes), self.region_levels(boxes)
        # location i of the anchors is centred at i * stride
        cell = ((boxes[:, :2] + boxes[:, 2:]) / 2 / strides[level, None]).round()
        limit = shapes[level].flip(1) - 1
        column, row = torch.minimum(cell.long().clamp(min=0), limit).unbind(dim=1)
        starts = shapes.prod(dim=1).cumsum(0) - shapes.prod(dim=1)
        flat = torch.cat([m.flatten(2) for m in embeddings], dim=2).transpose(1, 2)
        return flat[image_index, starts[level] + row * shapes[level, 1] + column]

    def region_levels(self, boxes: Tensor) -> Tensor:
        """Return the (P,) int64 level that the embedding of each region is read from.

        It is the one whose anchors are nearest to the region in size.

        Args:
            boxes: (P, 4) xyxy, absolute pixels of the network input.
        """
        sizes = self._strides(boxes) * self.prior_generator.octave_base_scale
        side = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1).clamp(min=1e-6).sqrt()
        return (side.log2()[:, None] - sizes.log2()).abs().argmin(dim=1)

    def _strides(self, like: Tensor) -> Tensor:
        """Return the stride of each level in pixels, with the type and device of a tensor."""
        return like.new_tensor([stride[0] for stride in self.prior_generator.strides])

    def loss_by_feat(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return mmdet's losses, with the alignment loss of all levels as one."""
        losses = super().loss_by_feat(*args, **kwargs)
        return {**losses, "loss_cls": self.loss_cls.total(losses["loss_cls"])}

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
        """Return a level's losses as mmdet's head does, with the box's IoU in place of centerness.

        The arguments are mmdet's; ``centerness`` has the IoU logits.

        Returns:
            Alignment loss, box loss, quality loss, and the sum of the IoUs of positive locations.
        """
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
