"""Read checkpoints without running any code that they may hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from ovdistill.core.errors import UserError


class _Inert:
    """Object without effect, in place of what a checkpoint holds beside tensors and plain data."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass


# What mmengine's log buffers consist of: numpy arrays and bound methods.
_LOG_BUFFER_PARTS = (
    "mmengine.logging.history_buffer.HistoryBuffer",
    "builtins.getattr",
    "numpy.ndarray",
    "numpy.dtype",
    *(
        f"numpy.{core}.multiarray.{name}"
        for core in ("core", "_core")
        for name in ("_reconstruct", "scalar")
    ),
)


def _stand_in(name: str) -> type[_Inert]:
    """Return a harmless class with the full name of what a pickle file asks for."""
    module, _, short = name.rpartition(".")
    return type(short, (_Inert,), {"__module__": module})


# the unpickler finds them by their full names, in place of the real classes and functions
STAND_INS: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
    _stand_in(name) for name in _LOG_BUFFER_PARTS
]


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Read the weights of a checkpoint; code in the file is never run.

    Args:
        path: ``.safetensors`` file, or ``.pth`` file as mmengine or ``torch.save`` writes it.

    Returns:
        Tensors by parameter name, on the CPU.

    Raises:
        UserError: the file is missing or damaged, holds anything but tensors and plain data, or
            its weights are not tensors by name.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(
            f"no checkpoint {path}. Train one with `ovdistill train CONFIG`, which leaves it in "
            "work_dirs/."
        )
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with torch.serialization.safe_globals(STAND_INS):
            checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what a damaged or crafted file raises is not foreseeable
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"{path} is not a checkpoint that can be read safely ({reason}).") from None
    return _weights_of(checkpoint, path)


def _weights_of(checkpoint: Any, path: Path) -> dict[str, Tensor]:
    weights = checkpoint.get("state_dict", checkpoint) if isinstance(checkpoint, dict) else None
    if not isinstance(weights, dict):
        raise UserError(f"{path} holds {type(checkpoint).__name__}; expected tensors by name")
    for name, value in weights.items():
        if not isinstance(value, Tensor):
            raise UserError(
                f"{path} has {type(value).__name__} under {name!r}; expected tensors by name, at "
                "the top or under 'state_dict'"
            )
    return weights


def last_checkpoint(work_dir: str | Path) -> Path:
    """Return the path of a run's newest checkpoint, which mmengine notes in ``last_checkpoint``.

    Args:
        work_dir: the folder of the run; it may have been moved since.

    Raises:
        UserError: the run has written no checkpoint yet.
    """
    note = Path(work_dir) / "last_checkpoint"
    if not note.is_file():
        raise UserError(f"no checkpoint in {work_dir}; the run there has not written one yet.")
    return Path(work_dir) / Path(note.read_text().strip()).name
