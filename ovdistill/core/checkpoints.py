"""Read and write checkpoints: tensors and plain data, never code.

A checkpoint is the zip archive that ``torch.save`` writes, which other tools of the field read too.
Reading it is safe, because its unpickler makes tensors and plain values only. Whatever else the
file asks for is refused, or becomes an object without effect. The archive holds a CRC-32 of each
part, which torch does not look at and this module does: a flipped bit is an error, not another
weight.
"""

from __future__ import annotations

import os
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from ovdistill.core.checksums import verify_tensors
from ovdistill.core.errors import UserError
from ovdistill.core.files import atomic_file


class DamagedCheckpoint(UserError):
    """Error for a checkpoint whose content cannot be read, or not safely."""


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
FOLDER = 0x10  # MS-DOS's attribute, in the external attributes of a part of a zip archive
_GLOBALS_LOCK = threading.Lock()


def read_checkpoint(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read everything that a checkpoint holds; code in the file is never run.

    Args:
        path: ``.safetensors`` file, or ``.pth`` file as mmengine or ``torch.save`` writes it.

    Returns:
        The content, its tensors on the CPU. The weights are under 'state_dict', or at the top.
        Objects that are neither tensors nor plain data have become objects without effect.

    Raises:
        UserError: there is no such file.
        DamagedCheckpoint: bits have changed, or the file holds something that is not known to be
            harmless.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(
            f"no checkpoint {path}. Train one with `ovdistill train CONFIG`, which leaves it in "
            "work_dirs/."
        )
    try:
        if path.suffix == ".safetensors":
            verify_tensors(path, "Fetch or publish it again.")
            return {"state_dict": load_file(path)}
        _check_archive(path)
        with _inert_globals():
            content = torch.load(path, map_location="cpu", weights_only=True)
    except UserError:
        raise
    except Exception as error:  # what a damaged or crafted file raises is not foreseeable
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DamagedCheckpoint(
            f"{path} is not a checkpoint that can be read safely ({reason})."
        ) from None
    if not isinstance(content, dict):
        raise DamagedCheckpoint(f"{path} holds {type(content).__name__}; expected tensors by name")
    return content


def read_weights(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Read the weights of a checkpoint; code in the file is never run.

    Args:
        path: as for ``read_checkpoint``.

    Returns:
        Tensors by parameter name, on the CPU.

    Raises:
        UserError: see ``read_checkpoint``, or the weights are not tensors by name.
    """
    return weights_of(read_checkpoint(path), path)


def weights_of(content: Mapping[str, Any], path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Return the weights in the content of a checkpoint.

    Args:
        content: from ``read_checkpoint``.
        path: the file, for the message.

    Raises:
        DamagedCheckpoint: they are not tensors by name.
    """
    weights = content.get("state_dict", content)
    if not isinstance(weights, dict):
        raise DamagedCheckpoint(f"{path} holds {type(weights).__name__}; expected tensors by name")
    for name, value in weights.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise DamagedCheckpoint(
                f"{path} has {type(value).__name__} under {name!r:.80}; expected tensors by name, "
                "at the top or under 'state_dict'"
            )
    return weights


def write_checkpoint(path: str | os.PathLike[str], content: Mapping[str, Any]) -> None:
    """Write a checkpoint, complete or not at all.

    Args:
        path: the file.
        content: tensors and plain data, so that ``read_checkpoint`` gives back the same.

    Raises:
        UserError: the disk is full, or ``path`` cannot be written to.
    """
    with atomic_file(path) as temporary, temporary.open("wb") as file:
        try:
            torch.save(dict(content), file)  # a path's name would become a part of the content
        except RuntimeError as error:
            # torch fails again as it closes the archive, which hides that the disk is full
            raise error.__context__ or error from None


def non_finite(tensors: Mapping[str, Any]) -> list[str]:
    """Return the names of the tensors that hold NaN or an infinite number."""
    return [
        name
        for name, value in tensors.items()
        if isinstance(value, Tensor)
        and value.is_floating_point()
        and not bool(torch.isfinite(value).all())
    ]


def check_finite(weights: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Raise UserError if weights hold NaN or infinite numbers: nothing can be computed with them.

    Args:
        weights: tensors by name.
        path: the file that they are from, for the message.
    """
    if bad := non_finite(weights):
        raise UserError(
            f"{path} holds NaN or infinite numbers in {len(bad)} of {len(weights)} tensors (the "
            f"first: {bad[0]}); expected finite weights. The training that wrote it had diverged: "
            "take an earlier checkpoint, or train again with a lower learning rate."
        )


def last_checkpoint(work_dir: str | os.PathLike[str]) -> Path:
    """Return the path of a run's newest checkpoint, noted in its file ``last_checkpoint``.

    Args:
        work_dir: the folder of the run; it may have been moved since.

    Raises:
        UserError: the run has written no checkpoint yet.
    """
    note = Path(work_dir) / "last_checkpoint"
    if not note.is_file():
        raise UserError(f"no checkpoint in {work_dir}; the run there has not written one yet.")
    name = Path(note.read_text(encoding="utf-8", errors="replace").strip()).name
    if not name or "\0" in name:
        raise UserError(f"{note} names no checkpoint; name one yourself, or delete that file.")
    return Path(work_dir) / name


def _check_archive(path: Path) -> None:
    """Raise DamagedCheckpoint if the parts of a zip archive are not as they were written."""
    if not zipfile.is_zipfile(path):
        return  # torch's format before 1.6 has no checksums
    with zipfile.ZipFile(path) as archive:
        for part in archive.infolist():
            stored = part.compress_type == zipfile.ZIP_STORED
            # torch takes a part with the mark of a folder for empty, and gives random memory
            if not stored or part.file_size != part.compress_size or part.external_attr & FOLDER:
                raise DamagedCheckpoint(
                    f"{path} has a part, {part.filename!r:.80}, that is compressed or a folder; "
                    "expected a file that torch.save wrote"
                )
        damaged = archive.testzip()
    if damaged is not None:
        raise DamagedCheckpoint(
            f"{path} is damaged: bits of {damaged!r:.80} have changed since it was written. Take "
            "another copy of it, or an earlier checkpoint."
        )


@contextmanager
def _inert_globals() -> Iterator[None]:
    """Let torch's unpickler know the stand-ins, and nothing that other libraries allow."""
    with _GLOBALS_LOCK:
        before = torch.serialization.get_safe_globals()
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(STAND_INS)
        try:
            yield
        finally:
            torch.serialization.clear_safe_globals()
            torch.serialization.add_safe_globals(before)
