"""Connect the processes of a training or a test, on GPUs or on the CPU."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ovdistill.commands.options import ConfigOptions, option
from ovdistill.core.errors import UserError

if TYPE_CHECKING:
    from mmengine.config import Config

    from ovdistill.core.peers import PeerWatch

LOGGER = logging.getLogger(__name__)


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


@contextmanager
def joined_processes(config: Config, launcher: str) -> Iterator[None]:
    """Join the process group of a launcher for a block, see ``init_processes``.

    A process whose block ends by an error has not left in order, and the others end too.
    """
    init_processes(config, launcher)
    yield
    leave_processes()


def init_processes(config: Config, launcher: str) -> None:
    """Join the process group of the processes that a launcher has started.

    mmengine's own function needs a CUDA device. Without one, the processes communicate through gloo
    and the model is wrapped for the CPU.

    Args:
        config: its ``env_cfg.dist_cfg`` has the arguments of the process group; see ``fit_to_cpu``
            for what is set on the CPU.
        launcher: 'none' (there is one process), 'pytorch', 'slurm' or 'mpi'.

    Raises:
        UserError: a launcher other than torchrun without a GPU, one that did not start this
            process, a GPU that this machine does not have, or processes that do not find one
            another.
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
    check_environment(launcher, ranks_of(launcher)[2])
    try:
        if on_gpus:
            dist.init_dist(launcher, **options)
        else:
            torch.distributed.init_process_group(**options | dict(backend="gloo"))
    except (RuntimeError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"the processes of --launcher {launcher} cannot be joined: {reason}"
        ) from error
    watch_processes()
    if not on_gpus:
        fit_to_cpu(config)


def fit_to_cpu(config: Config) -> None:
    """Let the model of a config be trained by several processes without a GPU.

    Args:
        config: changed in place.
    """
    config.model_wrapper_cfg = dict(
        type="MMDistributedDataParallel",
        device_ids=None,
        broadcast_buffers=False,
        find_unused_parameters=config.get("find_unused_parameters", False),
    )
    if config.get("sync_bn"):
        LOGGER.info("sync_bn=%r needs GPUs: each process normalises its own batch", config.sync_bn)
        config.sync_bn = None


def check_environment(launcher: str, local_rank: int) -> None:
    """Raise UserError for a GPU that is not there, or no address to meet at.

    Args:
        launcher: 'pytorch', 'slurm' or 'mpi'.
        local_rank: rank on this machine, which is the number of the GPU.
    """
    import torch

    from ovdistill.core.distributed import RANK_VARIABLES

    count = torch.cuda.device_count()
    if torch.cuda.is_available() and local_rank >= count:
        name = RANK_VARIABLES[launcher][2]
        raise UserError(f"got {name}={local_rank} in the environment; torch finds {count} GPUs")
    if launcher != "pytorch":
        return  # mmengine has an address for the others
    for name in ("MASTER_ADDR", "MASTER_PORT"):
        if not os.environ.get(name):
            raise UserError(f"--launcher pytorch without {name!r} in the environment; use torchrun")
    port = os.environ["MASTER_PORT"]
    if not (port.isascii() and port.isdigit() and int(port[:6]) < 65536):
        raise UserError(f"got MASTER_PORT={port[:100]} in the environment; expected 0 to 65535")


_WATCH: list[PeerWatch] = []  # one at most, from ``init_processes`` to ``leave_processes``


def watch_processes() -> None:
    """Watch the other processes of the group until ``leave_processes``."""
    from ovdistill.core.peers import PeerWatch

    _WATCH.append(PeerWatch())


def leave_processes() -> None:
    """Leave the group in order; do nothing in a single process.

    A process that ends without this counts as lost, and the others end too.
    """
    import torch

    while _WATCH:
        _WATCH.pop().leave()
        torch.distributed.destroy_process_group()
