"""The hook that ends a training whose numbers are no longer finite, or leaves out such batches."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from safetensors.torch import save
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from ovdistill.core.distributed import get_rank
from ovdistill.core.files import write_bytes
from ovdistill.training.optim_wrappers import DivergedError, FiniteSteps

FOLDER = "non_finite"  # of the dumped batches, in the work dir
SKIPPED = "skipped_batches"  # of the message hub, and so of checkpoints: how many were left out


@HOOKS.register_module()
class StopOnNonFinite(Hook):
    """Ends a training whose loss or gradient is NaN or infinite, or leaves out such batches.

    The batch is written to the folder ``non_finite`` of the work dir. The weights and the running
    statistics of batch norm are those before it, and the checkpoints are as they were. Where
    several batches make a step (``accumulative_counts``), it is the last of them, and all are left
    out.

    Args:
        max_skipped: this many batches are left out, counted and said before the training ends.

    Raises:
        DivergedError: at one batch more.
    """

    priority = "VERY_HIGH"

    def __init__(self, max_skipped: int = 0) -> None:
        self.max_skipped = max_skipped
        self._statistics: list[tuple[Tensor, Tensor]] = []

    def before_train(self, runner: Any) -> None:
        """Keep the running statistics of batch norm, which a forward pass changes."""
        self._keep_statistics(runner)

    def after_train_iter(
        self,
        runner: Any,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Mapping[str, Any] | None = None,
    ) -> None:
        """Deal with a step that was left out."""
        guarded = isinstance(runner.optim_wrapper, FiniteSteps)
        if guarded and not (problem := runner.optim_wrapper.take_problem()):
            if runner.optim_wrapper.should_update():  # the step was made
                self._keep_statistics(runner)
            return
        losses = {name: value.item() for name, value in (outputs or {}).items()}
        if not guarded:  # a wrapper of the user's own, which has made the step
            if all(map(math.isfinite, losses.values())):
                return
            problem = "loss"
        message = _dump(runner, data_batch, problem, losses)
        before = runner.message_hub.runtime_info.get(SKIPPED)
        skipped = 1 + (before if type(before) is int else 0)
        runner.message_hub.update_info(SKIPPED, skipped)
        if skipped > self.max_skipped or not guarded:
            raise DivergedError(
                f"{message}. Checkpoints in {runner.work_dir} are from before it. Try a lower "
                "learning rate (--cfg-options optim_wrapper.optimizer.lr=...), or leave out such "
                "batches with --max-bad-batches N."
            )
        for value, kept in self._statistics:  # NaN would never leave a running mean
            value.copy_(kept)
        runner.logger.warning("%s; it was left out, %d so far", message, skipped)

    def _keep_statistics(self, runner: Any) -> None:
        if not self.max_skipped:
            return
        if not self._statistics:
            norms = [m for m in runner.model.modules() if isinstance(m, _BatchNorm)]
            values = [value for norm in norms for value in norm.buffers(recurse=False)]
            self._statistics = [(value, value.clone()) for value in values]
        for value, kept in self._statistics:
            kept.copy_(value)

    def after_train(self, runner: Any) -> None:
        """Say how many batches were left out."""
        if skipped := runner.message_hub.runtime_info.get(SKIPPED):
            runner.logger.warning("%s batches were left out as not finite", skipped)


def _dump(
    runner: Any, data_batch: Mapping[str, Any], problem: str, losses: Mapping[str, float]
) -> str:
    """Write a batch to the work dir; return a sentence about it, without its full stop."""
    samples = data_batch["data_samples"]
    iteration, rank = runner.iter + 1, get_rank()
    found = dict(
        iteration=iteration,
        rank=rank,
        problem=problem,
        losses={name: repr(value) for name, value in losses.items()},
        image_ids=[sample.metainfo.get("img_id") for sample in samples],
        images=[sample.metainfo.get("img_path") for sample in samples],
    )
    path = Path(runner.work_dir, FOLDER, f"iter_{iteration}_rank_{rank}.safetensors")
    write_bytes(path, dump_batch(data_batch, found))
    return (
        f"the {problem} of iteration {iteration} is not finite (images "
        f"{', '.join(map(str, found['image_ids']))}; losses {_shown(losses)}). The batch is in "
        f"{path}"
    )


def dump_batch(data_batch: Mapping[str, Any], found: Mapping[str, Any]) -> bytes:
    """Return a safetensors file with the images, boxes and labels of a batch.

    Args:
        data_batch: 'inputs', a sequence of (3, H, W) uint8, and 'data_samples'.
        found: plain JSON values to put into its metadata under 'found'.
    """
    tensors: dict[str, Tensor] = {}
    for number, (image, sample) in enumerate(
        zip(data_batch["inputs"], data_batch["data_samples"], strict=True)
    ):
        tensors[f"{number}.image"] = image.cpu().contiguous()
        instances = sample.get("gt_instances", {})
        for name in ("bboxes", "labels"):
            if name in instances:
                value = instances[name]
                value = getattr(value, "tensor", value)  # mmdet's boxes hold one
                tensors[f"{number}.{name}"] = value.cpu().contiguous()
    return save(tensors, {"found": json.dumps(found, default=str)})


def _shown(losses: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in losses.items())
