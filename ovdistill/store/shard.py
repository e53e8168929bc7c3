"""One file of a store: the regions of some images, with a checksum of its own.

A shard exists complete or not at all, and states which store it belongs to. So several processes
can make a store together, and a later run continues where they stopped.

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
from ovdistill.core.header_values import COUNT, FLAG, INTEGER, TEXT, Kind, expect, list_of
from ovdistill.core.json_files import loads
from ovdistill.store.regions import Regions
from ovdistill.store.stored_image import STORED_IMAGE, StoredImage

FORMAT = "ovdistill-shard-2"
KEY = "ovdistill"  # of the metadata
FIELDS = ("boxes", "objectness", "embeddings")
INDEX = ("image_ids", "offsets")
# type and number of dimensions of each tensor
TYPES = {
    "boxes": ("F32", 2),
    "objectness": ("F32", 1),
    "embeddings": ("F16", 2),
    "image_ids": ("I64", 1),
    "offsets": ("I64", 1),
}
SKIPPED = {"image_id": INTEGER, "file": TEXT, "reason": TEXT, "whole": FLAG}
RECORD = Kind(
    "a record of what was skipped",
    lambda value: (
        isinstance(value, dict)
        and all(key in value and kind.fits(value[key]) for key, kind in SKIPPED.items())
    ),
)


class DamagedShard(UserError):
    """Error for a shard that is missing, incomplete, changed, or of another store.

    Attributes:
        path: the file.
        problem: what is wrong with it.
    """

    def __init__(self, path: Path | str, problem: str = "") -> None:
        # torch makes a worker's error again from its message alone
        super().__init__(
            f"shard {path} is {problem}; delete it where it is there, and run the command that "
            "made the store again: it makes what is missing"
            if problem
            else path
        )
        self.path, self.problem = Path(path), problem


@dataclass(frozen=True)
class ShardIndex:
    """Content of a shard without its regions.

    Attributes:
        image_ids: (N,) int64.
        offsets: (N + 1,) int64; the regions of image i are rows offsets[i] to offsets[i + 1].
        skipped: one record for each image that was skipped ('whole' is True) or lost boxes
            (False), with the keys 'image_id', 'file', 'reason' and 'whole'.
        embed_dim: D.
        images: the file of each image, N; () where the shard does not state them.
    """

    image_ids: Tensor
    offsets: Tensor
    skipped: tuple[dict[str, Any], ...]
    embed_dim: int
    images: tuple[StoredImage, ...] = ()


def shard_path(folder: Path, number: int) -> Path:
    """Return the path of a shard, such as ``folder/shard-00012.safetensors``."""
    return folder / f"shard-{number:05}.safetensors"


def write_shard(
    folder: Path,
    number: int,
    store: str,
    embed_dim: int,
    records: Sequence[tuple[int, Regions]],
    skipped: Sequence[dict[str, Any]] = (),
    images: Sequence[StoredImage] = (),
) -> Path:
    """Write a shard, complete or not at all.

    Args:
        folder: folder of the store.
        number: number of the shard.
        store: fingerprint of the store.
        embed_dim: D of the store.
        records: image ids and their regions; embeddings of any float dtype.
        skipped: see ``ShardIndex``.
        images: see there.

    Returns:
        The path of the shard.

    Raises:
        UserError: see ``Regions.stored`` and ``atomic_file``; or embeddings of another width.
    """
    tensors = _tensors_of(records, embed_dim)
    header: dict[str, Any] = dict(format=FORMAT, store=store, number=number, skipped=list(skipped))
    if images:
        header["images"] = [list(image) for image in images]
    header["sha256"] = _digest(tensors, header)
    # one key, since safetensors writes several in any order: equal shards are equal files
    path = shard_path(folder, number)
    try:
        write_bytes(path, save(tensors, {KEY: json.dumps(header)}))
    except UserError as error:
        raise UserError(
            f"{error} All earlier shards are complete: the same command continues from here."
        ) from error
    return path


def _tensors_of(records: Sequence[tuple[int, Regions]], embed_dim: int) -> dict[str, Tensor]:
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
    return tensors


def read_index(folder: Path, number: int, store: str) -> ShardIndex:
    """Read what a shard holds, without its regions.

    Raises:
        DamagedShard: see there; changed bits are found by ``verify_shard``.
    """
    path = shard_path(folder, number)
    with _Opened(path) as file:
        header = _header(path, file, number, store)
        shapes = {name: _shape(file, name) for name in TYPES}
        image_ids, offsets = (file.get_tensor(name) for name in INDEX)
    rows = {shapes[name][0] for name in FIELDS}
    whole = len(offsets) == len(image_ids) + 1 and offsets[0] == 0 and rows == {int(offsets[-1])}
    if not whole or (offsets.diff() < 0).any() or shapes["boxes"][1] != 4:
        raise DamagedShard(path, "damaged (its parts contradict each other)")
    images = tuple(StoredImage(*image) for image in header.get("images", ()))
    if images and len(images) != len(image_ids):
        raise DamagedShard(path, "damaged (it names more or fewer files than it has images)")
    skipped = tuple(header["skipped"])
    return ShardIndex(image_ids, offsets, skipped, shapes["embeddings"][1], images)


def verify_shard(folder: Path, number: int, store: str) -> ShardIndex:
    """Read a whole shard, compare its checksum and look at the values.

    Raises:
        DamagedShard: see there.
    """
    path = shard_path(folder, number)
    index = read_index(folder, number, store)
    with _Opened(path) as file:
        header = _header(path, file, number, store)
        expected = header.pop("sha256")
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    if _digest(tensors, header) != expected:
        raise DamagedShard(path, "damaged (its checksum differs: bits have changed)")
    norms = tensors["embeddings"].float().norm(dim=-1)
    if not (norms.isfinite() & (norms > 0)).all() or tensors["boxes"].isnan().any():
        raise DamagedShard(path, "damaged (a box or an embedding is NaN, or an embedding zero)")
    return index


def _header(path: Path, file: Any, number: int, store: str) -> dict[str, Any]:
    """Return the header of a shard; raise ValueError if it is damaged."""
    header = loads((file.metadata() or {}).get(KEY, "{}"), "its header")
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        found = header.get("format") if isinstance(header, dict) else None
        raise DamagedShard(path, f"{found or 'of another kind'!r:.60}, not {FORMAT}")
    got = expect(header, "store", TEXT), expect(header, "number", COUNT)
    expect(header, "sha256", TEXT)
    expect(header, "skipped", list_of(RECORD))
    expect({"images": [], **header}, "images", list_of(STORED_IMAGE))
    if got != (store, number):
        found = f"shard {got[1]} of store {got[0]:.60}"
        raise DamagedShard(path, f"foreign: {found}, where shard {number} of {store} belongs")
    return header


def _shape(file: Any, name: str) -> list[int]:
    """Return the shape of a tensor; raise ValueError if it is not of its type."""
    part = file.get_slice(name)
    dtype, dimensions = TYPES[name]
    if part.get_dtype() != dtype or len(part.get_shape()) != dimensions:
        raise ValueError(f"{name} is {part.get_dtype()} {part.get_shape()}")
    return part.get_shape()


class _Opened:
    """Context manager: ``safe_open`` that raises ``DamagedShard`` for a damaged file."""

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
        ours = isinstance(error, UserError) and not isinstance(error, DamagedShard)
        if ours or isinstance(error, (SafetensorError, KeyError, ValueError, OSError)):
            raise DamagedShard(self.path, f"damaged ({error})") from error


def _digest(tensors: dict[str, Tensor], header: dict[str, Any]) -> str:
    """Return the SHA-256 over names, types, shapes and bytes of tensors, and over the header."""
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name, value in sorted(tensors.items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.numpy().data)
    return digest.hexdigest()
