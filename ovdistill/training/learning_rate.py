"""The learning rate of a training belongs to the number of images in its steps."""

from __future__ import annotations

import logging

from mmengine.config import Config

from ovdistill.core.distributed import get_world_size, is_main_process
from ovdistill.models.components import name_of
from ovdistill.training.number_check import check_numbers

LOGGER = logging.getLogger(__name__)


def images_per_step(config: Config) -> int:
    """Return how many images all processes together see for a step of the optimizer.

    Args:
        config: of a training, in a process that has joined the others.
    """
    return int(config.train_dataloader.batch_size * _batches(config) * get_world_size())


def processes_of_rate(config: Config) -> int:
    """Return how many processes make the steps that the learning rate of a training is for.

    Args:
        config: of a training; one without ``auto_scale_lr`` is for a single process, and so is one
            that cannot train.
    """
    base = (config.get("auto_scale_lr") or {}).get("base_batch_size")
    images = (config.get("train_dataloader") or {}).get("batch_size")
    return max(1, base // (images * _batches(config))) if base and images else 1


def warn_of_rate(config: Config) -> None:
    """Warn if the steps of a training have other images than its learning rate is for.

    Args:
        config: of a training, in a process that has joined the others. One without
            ``auto_scale_lr`` does not say what its rate is for.

    Raises:
        UserError: see ``check_numbers``.
    """
    check_numbers(config)
    scaling = config.get("auto_scale_lr") or {}
    base = scaling.get("base_batch_size")
    if base is None or scaling.get("enable") or not is_main_process():
        return
    if (images := images_per_step(config)) != base:
        LOGGER.warning(
            "the learning rate of %s is for steps of %d images; these have %d (batches of %d, %d "
            "of them for a step, processes: %d). To fit the rate to them: --auto-scale-lr",
            name_of(config),
            base,
            images,
            config.train_dataloader.batch_size,
            _batches(config),
            get_world_size(),
        )


def _batches(config: Config) -> int:
    """Return how many batches of a process make a step."""
    return int((config.get("optim_wrapper") or {}).get("accumulative_counts") or 1)
