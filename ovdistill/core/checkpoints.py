"""Reading checkpoints without running any code that they may hold."""

from __future__ import annotations

from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ovdistill.core.errors import UserError


class _Inert:
    """Takes the place of whatever a checkpoint holds beside tensors and plain data."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass


# mmengine's log buffers, which are numpy arrays and bound methods
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
    """Return a class of this full name that does nothing, whatever it is called with."""
    module, _, short = name.rpartition(".")
    return type(short, (_Inert,), {"__module__": module})


STAND_INS = [_stand_in(name) for name in _LOG_BUFFER_PARTS]


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Read the weights of a checkpoint; code in it is never run.

    Args:
        path: ``.safetensors``, or ``.pth`` as mmengine writes it.

    Returns:
        Tensors by name, on the CPU.

    Raises:
        UserError: the file is missing, damaged, or holds anything but tensors and plain data.
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
    except (SafetensorError, UnpicklingError, RuntimeError, EOFError) as error:
        raise UserError(
            f"{path} is not a checkpoint that can be read safely ({str(error).splitlines()[0]})."
        ) from None
    return checkpoint.get("state_dict", checkpoint)


def last_checkpoint(work_dir: str | Path) -> Path:
    """Return the newest checkpoint of a run, as mmengine notes it.

    Raises:
        UserError: there is none.
    """
    note = Path(work_dir) / "last_checkpoint"
    if not note.is_file():
        raise UserError(f"no checkpoint in {work_dir}; the run there has not come that far.")
    return Path(work_dir) / Path(note.read_text().strip()).name
