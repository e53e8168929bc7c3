"""mmengine's runner with steps that stay finite, and data that a resumed run draws again."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.config import ConfigDict
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.registry import RUNNERS
from mmengine.runner import BaseLoop, Runner
from torch import nn
from torch.utils.data import DataLoader

from ovdistill.core.checkpoints import DamagedCheckpoint
from ovdistill.core.distributed import get_rank
from ovdistill.training.learning_rate import images_per_step
from ovdistill.training.resumed_settings import differences, settings_in_use
from ovdistill.training.sync_norms import synchronize_norms

# what is built in place of mmengine's own
OPTIM_WRAPPERS = {"OptimWrapper": "FiniteOptimWrapper", "AmpOptimWrapper": "FiniteAmpOptimWrapper"}
# what mmengine raises where the state in a checkpoint is not that of the config's parts
STATE_ERRORS = (KeyError, ValueError, TypeError, AttributeError, IndexError, RuntimeError)


@RUNNERS.register_module()
class TrainingRunner(Runner):
    """mmengine's ``Runner`` for trainings that can be trusted; see the modules of this room."""

    def train(self) -> nn.Module:
        """Train, and end the workers of the data loader.

        A loader's iterator that is left to the garbage collector waits five seconds for each of its
        workers, because they are told to end by a queue that may be collected before.
        """
        try:
            return super().train()
        finally:
            if isinstance(self._train_loop, BaseLoop):
                self._train_loop.dataloader_iterator = None

    def wrap_model(self, model_wrapper_cfg: dict[str, Any] | None, model: nn.Module) -> nn.Module:
        """Put a model on its device, and wrap it where there are several processes.

        Raises:
            UserError: see ``synchronize_norms``.
        """
        kind = self.cfg.get("sync_bn")
        if not self.distributed or kind is None:
            return super().wrap_model(model_wrapper_cfg, model)
        self.cfg.sync_bn = None  # mmengine would convert once more, and lose timm's activations
        model = super().wrap_model(model_wrapper_cfg, synchronize_norms(model, kind))
        self.cfg.sync_bn = kind
        return model

    def build_optim_wrapper(self, optim_wrapper: Any) -> OptimWrapper | OptimWrapperDict:
        """Build the optimizer wrapper of a config, of the kind that leaves out bad steps."""
        if isinstance(optim_wrapper, dict):
            name = optim_wrapper.get("type", "OptimWrapper")
            optim_wrapper = ConfigDict(optim_wrapper, type=OPTIM_WRAPPERS.get(name, name))
        return super().build_optim_wrapper(optim_wrapper)

    def scale_lr(
        self,
        optim_wrapper: OptimWrapper | OptimWrapperDict,
        auto_scale_lr: dict[str, Any] | None = None,
    ) -> None:
        """Scale the learning rate by the images of a step, if that is wanted.

        mmengine counts those of one batch, although ``accumulative_counts`` may make a step of
        several.

        Args:
            optim_wrapper: newly built, before its schedulers are.
            auto_scale_lr: ``enable``, and ``base_batch_size``, the images that the rate is for.
        """
        if not auto_scale_lr or not auto_scale_lr.get("enable"):
            return
        images, base = images_per_step(self.cfg), auto_scale_lr["base_batch_size"]
        self.logger.info(
            "learning rate times %g: a step has %d images, it is for %d",
            images / base,
            images,
            base,
        )
        several = isinstance(optim_wrapper, OptimWrapperDict)
        for wrapper in optim_wrapper.values() if several else [optim_wrapper]:
            for group in wrapper.optimizer.param_groups:
                group["lr"] *= images / base

    @staticmethod
    def build_dataloader(
        dataloader: DataLoader | dict[str, Any],
        seed: int | None = None,
        diff_rank_seed: bool = False,  # noqa: FBT001, FBT002  # mmengine's
    ) -> DataLoader:
        """Build a data loader; one that shuffles images can be resumed exactly."""
        if isinstance(dataloader, dict) and (kind := _kind_of_stream(dataloader["sampler"])):
            dataloader = _resumable(dataloader, kind, seed)
        return Runner.build_dataloader(dataloader, seed=seed, diff_rank_seed=diff_rank_seed)

    def resume(self, filename: str, *args: Any, **kwargs: Any) -> None:
        """Continue from a checkpoint; warn of settings of the config that it overrides.

        Raises:
            UserError: it holds weights only, or is of a run with another config.
        """
        said = settings_in_use(self)
        try:
            super().resume(filename, *args, **kwargs)
        except STATE_ERRORS as error:
            raise DamagedCheckpoint(
                f"cannot continue from {filename} ({type(error).__name__}: {error}); expected a "
                "checkpoint that a training with this config wrote. To start a new training from "
                f"its weights: --load-from {filename}"
            ) from error
        if found := differences(said, settings_in_use(self)):
            self.logger.warning(
                "going on with the settings of %s, not with those of this config: %s. To train "
                "with others, start from its weights in a new folder: --load-from %s",
                filename,
                "; ".join(found),
                filename,
            )


def _kind_of_stream(sampler: dict[str, Any]) -> str | None:
    """Return the sampler that makes another one's stream of images one that can be resumed."""
    if "Infinite" in str(sampler["type"]):
        return "ResumableSampler"
    is_shuffled = sampler["type"] == "DefaultSampler" and sampler.get("shuffle", True)
    return "EpochSampler" if is_shuffled else None


def _resumable(dataloader: dict[str, Any], kind: str, seed: int | None) -> dict[str, Any]:
    """Return the config of a data loader with its data set and sampler wrapped."""
    wrapped = dict(dataloader, sampler=dict(type=kind, sampler=dataloader["sampler"]))
    if kind == "EpochSampler":
        # each epoch's iterator draws a number when it is made, which a resumed run does not repeat
        wrapped["generator"] = torch.Generator().manual_seed(seed or 0)
    if dataloader.get("num_workers", 0):
        wrapped["dataset"] = dict(
            type="SeededDataset", dataset=dataloader["dataset"], seed=seed or 0, rank=get_rank()
        )
    return wrapped
