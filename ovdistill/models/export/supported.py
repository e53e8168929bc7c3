"""Which detectors can be exported."""

from __future__ import annotations

from typing import Any

from mmdet.models.data_preprocessors import DetDataPreprocessor
from mmdet.models.dense_heads import RPNHead
from mmdet.models.roi_heads.roi_extractors import SingleRoIExtractor
from mmdet.models.task_modules.coders import DeltaXYWHBBoxCoder

from ovdistill.core.errors import UserError
from ovdistill.models.open_vocabulary_rcnn import OpenVocabularyRCNN
from ovdistill.models.region_token_head import RegionTokenHead


def check_exportable(model: Any) -> None:
    """Raise UserError unless ``DetectorGraph`` does what a detector does.

    Args:
        model: of any kind.
    """
    if not isinstance(model, OpenVocabularyRCNN):
        raise UserError(
            f"got a {type(model).__name__}; two-stage detectors (OpenVocabularyRCNN) can be "
            "exported, one-stage ones cannot"
        )
    for problem, is_there in _problems(model).items():
        if is_there:
            raise UserError(f"got a detector with {problem}, which cannot be exported")


def _problems(model: OpenVocabularyRCNN) -> dict[str, bool]:
    """Return what is not supported, and whether the detector has it."""
    head, rpn = model.roi_head, model.rpn_head
    extractors = [head.bbox_roi_extractor, *([head.mask_roi_extractor] if head.with_mask else [])]
    layers = [layer for extractor in extractors for layer in extractor.roi_layers]
    return {
        "another RPN than RPNHead": not isinstance(rpn, RPNHead) or not rpn.use_sigmoid_cls,
        "other images than DetDataPreprocessor makes": type(model.data_preprocessor)
        is not DetDataPreprocessor,
        "a RoI extractor of several levels": any(
            type(extractor) is not SingleRoIExtractor for extractor in extractors
        ),
        "RoI pooling other than the mean": any(layer.pool_mode != "avg" for layer in layers),
        "a box coder other than DeltaXYWHBBoxCoder": any(
            type(coder) is not DeltaXYWHBBoxCoder or coder.add_ctr_clamp
            for coder in (rpn.bbox_coder, head.bbox_head.bbox_coder)
        ),
        "a head that aligns tokens": isinstance(head.bbox_head.fc_cls, RegionTokenHead),
        "a shared head": head.with_shared_head,
        "soft suppression": any(
            config.nms.get("type", "nms") != "nms" for config in (rpn.test_cfg, head.test_cfg)
        ),
    }
