"""mmdet's assigners, for which the places of ignored objects (crowds, no mask) are no background.

With ``ignore_iof_thr`` mmdet's own also drop the positives of labelled objects that lie in a crowd
(of 100 photos of COCO, half of the objects in images that have one), and ignore nothing in images
without a labelled object.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmdet.models.task_modules.assigners import AssignResult, ATSSAssigner, MaxIoUAssigner
from mmdet.registry import TASK_UTILS
from mmdet.structures.bbox import bbox_overlaps
from mmengine.structures import InstanceData
from torch import Tensor


@TASK_UTILS.register_module()
class IgnoringMaxIoUAssigner(MaxIoUAssigner):
    """mmdet's ``MaxIoUAssigner``; negatives in ignored objects are neither positive nor negative.

    They are those of which a larger share than ``ignore_iof_thr`` lies in an ignored object.
    """

    def assign(
        self,
        pred_instances: InstanceData,
        gt_instances: InstanceData,
        gt_instances_ignore: InstanceData | None = None,
        **kwargs: Any,
    ) -> AssignResult:
        """Return mmdet's assignment, with -1 for negatives in ignored objects.

        Args:
            pred_instances: with ``priors`` (R, 4) xyxy.
            gt_instances: with ``bboxes`` (n, 4) and ``labels`` (n,) of the labelled objects.
            gt_instances_ignore: with ``bboxes`` of the ignored ones.
            **kwargs: not used.
        """
        found = super().assign(pred_instances, gt_instances)
        return leave_out(
            found, pred_instances.priors, gt_instances_ignore, share=self.ignore_iof_thr
        )


@TASK_UTILS.register_module()
class IgnoringATSSAssigner(ATSSAssigner):
    """mmdet's ``ATSSAssigner``, as ``IgnoringMaxIoUAssigner``."""

    def assign(
        self,
        pred_instances: InstanceData,
        num_level_priors: Sequence[int],
        gt_instances: InstanceData,
        gt_instances_ignore: InstanceData | None = None,
    ) -> AssignResult:
        """Return mmdet's assignment, with -1 for negatives in ignored objects.

        Args:
            pred_instances: see ``IgnoringMaxIoUAssigner.assign``.
            num_level_priors: the number of priors of each level.
            gt_instances: as there.
            gt_instances_ignore: as there.
        """
        found = super().assign(pred_instances, num_level_priors, gt_instances)
        return leave_out(
            found, pred_instances.priors, gt_instances_ignore, share=self.ignore_iof_thr
        )


def leave_out(
    found: AssignResult, priors: Tensor, ignored: InstanceData | None, *, share: float
) -> AssignResult:
    """Return an assignment with -1 for the negatives that lie in ignored objects.

    Args:
        found: with ``gt_inds`` (R,): 0 for a negative; it is changed.
        priors: (R, 4) xyxy.
        ignored: with ``bboxes`` (n, 4) xyxy; None for none.
        share: of a prior that must lie in one ignored object at least; below 0 nothing is ignored.
    """
    if share < 0 or ignored is None or not len(ignored.bboxes):
        return found
    inside = bbox_overlaps(priors[:, :4], ignored.bboxes, mode="iof").amax(dim=1) > share
    left = torch.where((found.gt_inds == 0) & inside, -1, found.gt_inds)
    # without any sample, weights would get no gradient, which DistributedDataParallel waits for
    found.gt_inds = torch.where((left >= 0).any(), left, found.gt_inds)
    return found
