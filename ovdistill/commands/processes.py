"""Connect the processes of a training or a test, on GPUs or on the CPU."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ovdistill.commands.options import ConfigOptions, option
from ovdistill.core.errors import UserError

if TYPE_CHECKING:
    from mmengine.config import Config


@dataclass(frozen=True, kw_only=True)
class RunnerOptions(ConfigOptions):
    """Options of commands that run mmengine's runner."""

    launcher: Literal["none", "pytorch", "slurm", "mpi"] = option(
        "none", help="what has started several processes, as in mmdet"
    )
    local_rank: int = option(0, help=None, flags=["--local_rank"])  # torch.distributed.launch's

    def apply(self, config: Config) -> None:
        """Put the launcher and the level of messages into a config."""
        config.launcher = self.launcher
        if self.level != "INFO":  # else the config's own level counts
            config.log_level = self.level

    def set_local_rank(self) -> None:
        """Set LOCAL_RANK, which launchers other than torch.distributed.launch have set."""
        os.environ.setdefault("LOCAL_RANK", str(self.local_rank))


def init_processes(config: Config, launcher: str) -> None:
    """Join the process group of the processes that a launcher has started.

    mmengine's own function needs a CUDA device. Without one, the processes communicate through gloo
    and the model is wrapped for the CPU.

    Args:
        config: its ``env_cfg.dist_cfg`` has the arguments of the process group; on the CPU its
            ``model_wrapper_cfg`` is set here.
        launcher: 'none' (there is one process), 'pytorch', 'slurm' or 'mpi'.

    Raises:
        UserError: a launcher other than torchrun without a GPU, or one that did not start this
            process.
    """
    import torch
    from mmengine import dist

    from ovdistill.core.distributed import ranks_of

    if launcher == "none":
        return
    options = dict(config.env_cfg.get("dist_cfg", {}))
    on_gpus = torch.cuda.is_available()
    if not on_gpus and launcher != "pytorch":
        raise UserError(f"got --launcher {launcher} without a GPU; expected 'pytorch' (torchrun)")
    ranks_of(launcher)  # raises UserError if the launcher did not start this process
    if on_gpus:
        dist.init_dist(launcher, **options)
        return
    torch.distributed.init_process_group(**options | dict(backend="gloo"))
    config.model_wrapper_cfg = dict(
        type="MMDistributedDataParallel",
        device_ids=None,
        broadcast_buffers=False,
        find_unused_parameters=config.get("find_unused_parameters", False),
    )
