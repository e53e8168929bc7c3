"""How the processes of a training or a test find each other, on GPUs or on the CPU."""

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
    """What commands take that run mmengine's runner."""

    launcher: Literal["none", "pytorch", "slurm", "mpi"] = option("none", help="as mmdet's")
    local_rank: int = option(0, help=None, flags=["--local_rank"])  # torch.distributed.launch's

    def set_local_rank(self) -> None:
        """Set the rank on this machine where the launcher has not."""
        os.environ.setdefault("LOCAL_RANK", str(self.local_rank))


def init_processes(config: Config, launcher: str) -> None:
    """Join the processes that a launcher has started, before any of them does something.

    mmengine's own way takes a CUDA device for granted; without one the processes talk through gloo
    and the model is wrapped for the CPU.

    Args:
        config: its ``env_cfg.dist_cfg`` has the arguments of the process group; the wrapper of the
            model is set here.
        launcher: 'none', 'pytorch', 'slurm' or 'mpi'.

    Raises:
        UserError: another launcher than torchrun without a GPU, or one that has not started this.
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
    ranks_of(launcher)  # raises where nothing has started this process
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
