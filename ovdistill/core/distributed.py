"""Ranks of the processes that run one command together, and how they wait for each other."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ovdistill.core.errors import UserError

LAUNCHERS = ("none", "pytorch", "slurm", "mpi")
# environment variables that a launcher sets: rank, number of processes, rank on this machine
RANK_VARIABLES = {
    "pytorch": ("RANK", "WORLD_SIZE", "LOCAL_RANK"),
    "slurm": ("SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID"),
    "mpi": ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"),
}
START_COMMANDS = {"pytorch": "torchrun --nproc_per_node N", "slurm": "srun", "mpi": "mpirun"}


def ranks_of(launcher: str) -> tuple[int, int, int]:
    """Return rank, number of processes and rank on this machine, as the launcher set them.

    Args:
        launcher: one of ``LAUNCHERS``; 'none' is a single process: (0, 1, 0).

    Raises:
        UserError: no such launcher, it has not started this process, or the values of its
            environment variables cannot be.
    """
    if launcher not in LAUNCHERS:
        raise UserError(f"no launcher {launcher!r}; expected one of: {', '.join(LAUNCHERS)}")
    if launcher == "none":
        return 0, 1, 0
    rank, world_size, local_rank = (_number(name, launcher) for name in RANK_VARIABLES[launcher])
    rank_name, size_name, local_name = RANK_VARIABLES[launcher]
    if world_size < 1:
        raise UserError(f"got {size_name}={world_size} in the environment; expected 1 or more")
    for name, value in ((rank_name, rank), (local_name, local_rank)):
        if not 0 <= value < world_size:
            raise UserError(
                f"got {name}={value} in the environment; expected 0 to {world_size - 1}, since "
                f"{size_name} is {world_size}"
            )
    return rank, world_size, local_rank


def _number(name: str, launcher: str) -> int:
    """Return the number in an environment variable that a launcher sets.

    Raises:
        UserError: there is no such variable, or its value is no whole number.
    """
    try:
        return int(os.environ[name])
    except KeyError:
        raise UserError(
            f"--launcher {launcher} without {name!r} in the environment; start it with: "
            f"{START_COMMANDS[launcher]}"
        ) from None
    except ValueError:
        raise UserError(
            f"got {name}={os.environ[name][:100]} in the environment; expected a whole number"
        ) from None


def is_initialized() -> bool:
    """Return True when this process belongs to a process group."""
    return torch.distributed.is_available() and torch.distributed.is_initialized()


def get_rank() -> int:
    """Return the rank of this process in its group, 0 without a group."""
    return torch.distributed.get_rank() if is_initialized() else 0


def get_world_size() -> int:
    """Return the number of processes in the group, 1 without a group."""
    return torch.distributed.get_world_size() if is_initialized() else 1


def is_main_process() -> bool:
    """Return True if this process has rank 0, as a single process does."""
    return get_rank() == 0


def unwrapped(model: torch.nn.Module) -> Any:
    """Return the model itself, where data-parallel training has wrapped it."""
    return getattr(model, "module", model)


def gather_rows(rows: Tensor) -> tuple[Tensor, int]:
    """Return the rows of all ranks with gradient, and the index of this rank's first row.

    Every rank must have the same number of rows. Where the loss of all is the mean over the ranks'
    own, as data-parallel training averages gradients, the gradient of the rows is that of all.
    """
    if not is_initialized():
        return rows, 0
    gathered: Tensor = _Gather.apply(rows)
    return gathered, get_rank() * len(rows)


class _Gather(torch.autograd.Function):
    """Joins the rows of all ranks; a rank's gradient is the sum of what all ranks give for it."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        """Return the rows of all ranks."""
        parts = [
            torch.empty_like(rows, memory_format=torch.contiguous_format)
            for _ in range(get_world_size())
        ]
        torch.distributed.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Return the gradient of this rank's rows."""
        total = gradient.contiguous().clone()
        torch.distributed.all_reduce(total)
        return total.chunk(get_world_size())[get_rank()]


def patient_group() -> torch.distributed.ProcessGroup | None:
    """Return a process group whose barrier waits up to a week; None for a single process.

    NCCL's barrier gives up after ten minutes, and what process 0 prepares may take longer. Every
    process of the default group must call this.
    """
    if not is_initialized():
        return None
    group = torch.distributed.new_group(backend="gloo", timeout=timedelta(days=7))
    assert not isinstance(group, int)  # a number only in processes that are not in the group
    return group


def wait_for_file(file: Path, seconds: float) -> None:
    """Wait until process 0 has written a file; for processes that share a folder but no group.

    Args:
        file: the file.
        seconds: time to wait at most.

    Raises:
        UserError: the file is not there after that time.
    """
    start = time.monotonic()
    while not file.is_file():
        if time.monotonic() - start > seconds:
            raise UserError(f"no {file} from process 0 after {seconds:g} s")
        time.sleep(0.2)
