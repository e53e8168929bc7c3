"""One file of a store: the regions of some images, with a checksum of its own.

A shard is there complete or not at all, and says which store it belongs to; so a store is made by
any number of processes, and goes on where they stopped.

Shapes: N images, P regions of all of them, D embedding width.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.core.files import write_bytes
from ovdistill.store.regions import Regions

FORMAT = "ovdistill-shard-2"
KEY = "ovdistill"
FIELDS = ("boxes", "objectness", "embeddings")
INDEX = ("image_ids", "offsets")


class DamagedShard(UserError):
    """A shard that is missing, incomplete, changed, or of another store; ``problem`` says which."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(
            f"shard {path} is {problem}; delete it where it is there, and run the command that "
            "made the store again: it makes what is missing"
        )
        self.path, self.problem = path, problem


@dataclass(frozen=True)
class ShardIndex:
    """What a shard holds.

    Attributes:
        image_ids: (N,) int64.
        offsets: (N + 1,) int64; the regions of image i are rows offsets[i] to offsets[i + 1].
        skipped: records of images and boxes that were left out, and why.
    """

    image_ids: Tensor
    offsets: Tensor
    skipped: tuple[dict[str, Any], ...]


def shard_path(folder: Path, number: int) -> Path:
    """Where a shard is, ``folder/shard-00012.safetensors``."""
    return folder / f"shard-{number:05}.safetensors"


def write_shard(
    folder: Path,
    number: int,
    store: str,
    embed_dim: int,
    records: Sequence[tuple[int, Regions]],
    skipped: Sequence[dict[str, Any]] = (),
) -> Path:
    """Writes a shard at once.

    Args:
        folder: of the store.
        number: of the shard.
        store: fingerprint of the store.
        embed_dim: D.
        records: image ids and their regions; embeddings of any float dtype.
        skipped: see ``ShardIndex``.

    Raises:
        UserError: see ``Regions.stored``; a width other than D; or no space to write.
    """
    parts = [(image_id, regions.stored(image_id)) for image_id, regions in records]
    for image_id, regions in parts:
        if regions.embeddings.shape[1] != embed_dim:
            raise UserError(
                f"image {image_id}: embeddings of width {regions.embeddings.shape[1]} for a store "
                f"of width {embed_dim}"
            )
    empty = Regions(
        torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, embed_dim, dtype=torch.float16)
    )
    own = [regions for _, regions in parts] or [empty]
    tensors = {name: torch.cat([getattr(r, name) for r in own]).contiguous() for name in FIELDS}
    tensors["image_ids"] = torch.tensor([image_id for image_id, _ in parts], dtype=torch.int64)
    tensors["offsets"] = torch.tensor([0, *(len(r) for _, r in parts)]).cumsum(0)
    header = dict(format=FORMAT, store=store, number=number, skipped=list(skipped))
    header["sha256"] = _digest(tensors, header)
    # one key, since safetensors writes several in any order: the same shard is the same file
    path = shard_path(folder, number)
    try:
        write_bytes(path, save(tensors, {KEY: json.dumps(header)}))
    except UserError as error:
        raise UserError(
            f"{error} All earlier shards are complete: it goes on from here."
        ) from error
    return path


def read_index(folder: Path, number: int, store: str) -> ShardIndex:
    """What a shard holds, without reading its regions.

    Raises:
        DamagedShard: see there; changed bits are found by ``verify_shard`` only.
    """
    path = shard_path(folder, number)
    with _opened(path) as file:
        header = _header(path, file, number, store)
        image_ids, offsets = (file.get_tensor(name) for name in INDEX)
        rows = {file.get_slice(name).get_shape()[0] for name in FIELDS}
        skipped = tuple(header["skipped"])
    if len(offsets) != len(image_ids) + 1 or rows != {int(offsets[-1])}:
        raise DamagedShard(path, "damaged (its parts contradict each other)")
    return ShardIndex(image_ids, offsets, skipped)


def verify_shard(folder: Path, number: int, store: str) -> ShardIndex:
    """Reads all of a shard and compares its checksum.

    Raises:
        DamagedShard: see there.
    """
    path = shard_path(folder, number)
    index = read_index(folder, number, store)
    with _opened(path) as file:
        header = _header(path, file, number, store)
        expected = header.pop("sha256")
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    if _digest(tensors, header) != expected:
        raise DamagedShard(path, "damaged (its checksum differs: bits have changed)")
    return index


def _header(path: Path, file: Any, number: int, store: str) -> dict[str, Any]:
    header = json.loads((file.metadata() or {}).get(KEY, "{}"))
    if header.get("format") != FORMAT:
        raise DamagedShard(path, f"{header.get('format', 'of another kind')}, not {FORMAT}")
    if (header["store"], header["number"]) != (store, number):
        found = f"shard {header['number']} of store {header['store']}"
        raise DamagedShard(path, f"foreign: {found}, where shard {number} of {store} belongs")
    return header


class _opened:
    """``safe_open`` with the errors of a damaged file named."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> Any:
        if not self.path.is_file():
            raise DamagedShard(self.path, "missing")
        try:
            self.file = safe_open(self.path, framework="pt")
        except (SafetensorError, OSError) as error:
            raise DamagedShard(self.path, f"truncated or damaged ({error})") from error
        return self.file.__enter__()

    def __exit__(self, kind: type | None, error: BaseException | None, trace: Any) -> None:
        self.file.__exit__(kind, error, trace)
        if isinstance(error, (SafetensorError, KeyError, json.JSONDecodeError)):
            raise DamagedShard(self.path, f"damaged ({error})") from error


def _digest(tensors: dict[str, Tensor], header: dict[str, Any]) -> str:
    """SHA-256 over names, types, shapes and bytes of the tensors, and over the header."""
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name, value in sorted(tensors.items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.numpy().data)
    return digest.hexdigest()
