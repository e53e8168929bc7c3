"""Runs the training of a config, alone in its folder."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmengine.config import Config

# a config with custom imports of its own may have lost those of its base
import ovdistill.training.register  # noqa: F401
from ovdistill.core.checkpoints import DamagedCheckpoint, last_checkpoint, read_checkpoint
from ovdistill.core.distributed import is_main_process
from ovdistill.core.errors import UserError
from ovdistill.core.files import remove_temporary
from ovdistill.core.locks import folder_lock
from ovdistill.datasets.bad_images import allow_bad_images
from ovdistill.training.initial_weights import check_initial_weights
from ovdistill.training.runner import TrainingRunner

AUTO = "auto"
LOGGER = logging.getLogger(__name__)


def run_training(config: Config, options_key: str = "") -> None:
    """Train the network of a config, in a folder that ``alone_in`` holds for it.

    Every process of a job must call it.

    Args:
        config: from ``load_config``, with ``work_dir``.
        options_key: where a user overrides this config, for messages: "" or 'prepare.proposals.
            options.'.

    Raises:
        UserError: weights to start from are missing or do not fit, or the disk is full.
        DivergedError: a loss or gradient is NaN or infinite.
    """
    check_initial_weights(config, options_key)
    bad_images = allow_bad_images(config, config.work_dir, config.get("max_bad_images", 0))
    if is_main_process() and not config.get("resume"):
        bad_images.path.unlink(missing_ok=True)
    TrainingRunner.from_cfg(config).train()
    if is_main_process() and (skipped := len(bad_images.problems())):
        LOGGER.warning("%d images were skipped; see %s", skipped, bad_images.path)


@contextmanager
def alone_in(work_dir: str | Path) -> Iterator[None]:
    """Keep other trainings out of a folder, and clear up what killed ones have left there.

    Raises:
        UserError: another training is going on there, or the folder cannot be written to.
    """
    if not is_main_process():
        yield
        return
    with folder_lock(work_dir, "a training"):
        for name in ("*.pth", "last_checkpoint"):
            remove_temporary(Path(work_dir), name)
        yield


def resume_from(config: Config, checkpoint: str) -> None:
    """Let a training continue from a checkpoint.

    mmengine's own automatic resuming would continue from ``load_from``, which here are the initial
    weights of a new run. Its sampler draws with the config's seed, so that of the checkpoint is
    put there.

    Args:
        config: to be changed; its ``work_dir`` and ``randomness`` are set.
        checkpoint: a file, or 'auto': the last one in the work dir, if there is one.

    Raises:
        UserError: no such file, or a damaged one.
    """
    work_dir = Path(config.work_dir)
    if checkpoint == AUTO:
        if not (work_dir / "last_checkpoint").is_file():
            return
        checkpoint = str(last_checkpoint(work_dir))
    written = [*work_dir.glob("iter_*.pth"), *work_dir.glob("epoch_*.pth")]
    others = [path for path in written if path != Path(checkpoint)]
    names = ", ".join(map(str, sorted(others, key=_age)))
    hint = f" There are other checkpoints, the newest last: {names}." if names else ""
    if not Path(checkpoint).is_file():
        raise UserError(f"got --resume {checkpoint}; there is no such checkpoint.{hint}")
    try:
        meta = read_checkpoint(checkpoint).get("meta")
    except DamagedCheckpoint as error:
        raise UserError(f"{error}{hint}") from error
    seed = meta.get("seed") if isinstance(meta, dict) else None
    if type(seed) is int and seed != config.randomness.seed:
        LOGGER.warning("going on with seed %d of %s", seed, checkpoint)
        config.randomness.seed = seed
    config.load_from = checkpoint
    config.resume = True


def _age(path: Path) -> float:
    return path.stat().st_mtime
