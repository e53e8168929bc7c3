"""How the processes of one command find together, on GPUs or on the CPU."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path

import torch
from mmengine import dist
from mmengine.config import Config

from ovdistill.errors import UserError


def init_processes(config: Config, launcher: str) -> None:
    """Joins the processes that a launcher has started, before any of them does something.

    mmengine's own way takes a CUDA device for granted; without one the processes talk through gloo
    and the model is wrapped for the CPU.

    Args:
        config: its ``env_cfg.dist_cfg`` has the arguments of the process group; the wrapper of the
            model is set here.
        launcher: 'none', 'pytorch' or 'slurm'.

    Raises:
        UserError: another launcher than torchrun without a GPU, or one that has not started this.
    """
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


def ranks_of(launcher: str) -> tuple[int, int, int]:
    """Rank, number of processes, and rank on this machine, as the launcher tells by environment.

    Raises:
        UserError: no launcher has started this process.
    """
    if launcher == "none":
        return 0, 1, 0
    slurm = ("SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID")
    names = slurm if launcher == "slurm" else ("RANK", "WORLD_SIZE", "LOCAL_RANK")
    try:
        rank, world_size, local_rank = (int(os.environ[name]) for name in names)
    except KeyError as error:
        command = "srun" if launcher == "slurm" else "torchrun --nproc_per_node N"
        raise UserError(
            f"--launcher {launcher} without {error} in the environment; start it with: {command}"
        ) from None
    return rank, world_size, local_rank


def patient_group() -> torch.distributed.ProcessGroup | None:
    """A group whose barrier waits for days; None for one process. All processes make it together.

    NCCL's barrier gives up after ten minutes, and what process 0 prepares may take longer.
    """
    if not torch.distributed.is_initialized():
        return None
    return torch.distributed.new_group(backend="gloo", timeout=timedelta(days=7))


def wait_for(file: Path, seconds: float) -> None:
    """Waits for a file that process 0 writes, where processes share a folder and no group.

    Raises:
        UserError: it is not there after so many seconds.
    """
    start = time.monotonic()
    while not file.is_file():
        if time.monotonic() - start > seconds:
            raise UserError(f"no {file} from process 0 after {seconds:g} s")
        time.sleep(0.2)
