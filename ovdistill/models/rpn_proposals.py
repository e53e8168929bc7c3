"""The RPN within a two-stage detector, as a source of proposals."""

from __future__ import annotations

from mmdet.models.detectors import TwoStageDetector
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from torch import Tensor


@MODELS.register_module()
class RPNProposals(TwoStageDetector):
    """mmdet's two-stage detector that returns the proposals of its RPN as its detections.

    It takes a two-stage detector's weights, so that regions can be proposed by its first stage.
    """

    def predict(
        self,
        batch_inputs: Tensor,
        batch_data_samples: SampleList,
        rescale: bool = True,  # noqa: FBT001, FBT002 (mmdet's signature)
    ) -> SampleList:
        """Return the samples with proposals as ``pred_instances``.

        Args:
            batch_inputs: (N, 3, H, W) images after preprocessing.
            batch_data_samples: of the images.
            rescale: return boxes in pixels of the original image.
        """
        x = self.extract_feat(batch_inputs)
        results = self.rpn_head.predict(x, batch_data_samples, rescale=rescale)
        return self.add_pred_to_datasample(batch_data_samples, results)
