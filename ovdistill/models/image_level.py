"""Batches of images that have labels for the whole image alone, without boxes.

They are of a data set with ``labelled="none"``. Detection losses know nothing of them; only
distillation terms learn from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmdet.structures import SampleList
from torch import Tensor

from ovdistill.core.errors import UserError


def is_image_level(samples: SampleList) -> bool:
    """Return whether the images of a batch have labels for the whole image alone.

    Raises:
        UserError: only some of them.
    """
    count = sum(bool(sample.metainfo.get("image_level", False)) for sample in samples)
    if 0 < count < len(samples):
        raise UserError(
            f"got a batch with {count} images without boxes (labelled='none') and "
            f"{len(samples) - count} with; expected batches of one kind: train_dataloader.sampler="
            'dict(type="InfiniteSourceSampler", batch_size=..., ratio=...).'
        )
    return count > 0


def of_labelled(losses: dict[str, Any], samples: SampleList) -> dict[str, Any]:
    """Return detection losses of a batch, times zero if its images have no boxes.

    They are not left out, so that every weight has a gradient, which the ranks can reduce.

    Args:
        losses: scalars, or a list with a scalar for each level, by name; what is no loss, such as
            an accuracy, has a name without "loss".
        samples: of the images.
    """
    if not is_image_level(samples):
        return losses
    return {name: _times_zero(loss) if "loss" in name else loss for name, loss in losses.items()}


def _times_zero(loss: Tensor | Sequence[Tensor]) -> Tensor | list[Tensor]:
    return 0 * loss if isinstance(loss, Tensor) else [0 * level for level in loss]
