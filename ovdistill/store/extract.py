"""Fills a store: pictures are read in workers, cut in a thread, and encoded in full batches.

Every process of a job takes its share of the shards and writes them alone. So none waits for
another, and what one leaves undone, any later run does.

Shapes: P regions, D embedding width.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor
from tqdm import tqdm

from ovdistill.errors import UserError
from ovdistill.evaluation.report import write_json
from ovdistill.processes import wait_for
from ovdistill.store.meta import NAME, StoreMeta, read_meta, write_meta
from ovdistill.store.pictures import Picture, PictureFile, loader
from ovdistill.store.proposals import ProposalSource, tidy
from ovdistill.store.regions import Regions
from ovdistill.store.shard import read_index, shard_path, write_shard
from ovdistill.store.store import PICTURES_A_SHARD
from ovdistill.teacher import Teacher

PICTURES_AT_A_TIME = 8  # read and proposed for together
SECONDS_TO_WAIT = 600  # for the first process to write the plan
T = TypeVar("T")


@dataclass(frozen=True)
class ExtractOptions:
    """How a store is filled; the first three are part of what it is.

    Attributes:
        per_image: regions to keep for each picture, of the highest objectness.
        min_size: pixels; regions with a shorter side are dropped.
        pictures_a_shard: pictures in a file, which is what a crash can lose.
        batch_size: crops a forward pass.
        workers: processes that read pictures.
        rank, world_size: this process among those that fill the store.
    """

    per_image: int = 300
    min_size: float = 0.0
    pictures_a_shard: int = PICTURES_A_SHARD
    batch_size: int = 128
    workers: int = 1
    rank: int = 0
    world_size: int = 1


@dataclass
class _Shard:
    """What is known of a shard's pictures before they are encoded."""

    files: list[PictureFile] = field(default_factory=list)
    boxes: list[Tensor] = field(default_factory=list)
    scores: list[Tensor] = field(default_factory=list)
    skipped: list[dict[str, Any]] = field(default_factory=list)


def plan_store(
    files: Sequence[PictureFile],
    source: ProposalSource,
    teacher: Teacher,
    options: ExtractOptions,
) -> StoreMeta:
    """What the store of these pictures will say of itself."""
    provenance = dict(
        teacher=teacher.id,
        teacher_hash=teacher.weights_hash,
        random_teacher=teacher.random,
        dim=teacher.dim,
        precision=getattr(teacher, "precision", "fp32"),
        image_size=teacher.image_size,
        interpolation=teacher.interpolation,
        crops=teacher.crops.to_dict(),
        proposals=source.provenance,
        per_image=options.per_image,
        min_size=options.min_size,
        pictures_a_shard=options.pictures_a_shard,
        image_ids=_hash_ids(files),
    )
    return StoreMeta(provenance, len(files), -(-len(files) // options.pictures_a_shard))


def extract(
    files: Sequence[PictureFile],
    source: ProposalSource,
    teacher: Teacher,
    folder: str | Path,
    options: ExtractOptions,
) -> StoreMeta:
    """Makes a store, or finishes one that was begun.

    Args:
        files: the pictures, in the order of the shards.
        source: of the boxes.
        teacher: embeds the regions.
        folder: the store.
        options: see there.

    Returns:
        The store's ``meta.json``; with counts if the store is complete now.

    Raises:
        UserError: no pictures, a picture twice, a store there that was begun differently, or no
            space to write.
    """
    folder = Path(folder)
    _check_files(files)
    meta = agree(folder, plan_store(files, source, teacher, options), options.rank)
    mine = range(options.rank, meta.shards, options.world_size)
    todo = [number for number in mine if not shard_path(folder, number).is_file()]
    size = options.pictures_a_shard
    done = sum(len(files[n * size : (n + 1) * size]) for n in mine if n not in set(todo))
    bar = tqdm(
        desc="teacher regions",
        total=sum(len(files[n * size : (n + 1) * size]) for n in mine),
        initial=done,
        unit="picture",
        disable=options.rank > 0,
        smoothing=0.05,
    )
    with bar:
        for number, shard, embeddings in _encoded(files, todo, source, teacher, options, bar):
            parts = embeddings.split([len(boxes) for boxes in shard.boxes])
            regions = map(Regions, shard.boxes, shard.scores, parts)
            ids = [file.image_id for file in shard.files]
            records = list(zip(ids, regions, strict=True))
            write_shard(folder, number, meta.fingerprint, meta.dim, records, shard.skipped)
    return finish(folder, meta)


def finish(folder: Path, meta: StoreMeta) -> StoreMeta:
    """Writes ``skipped.json`` of what is there, and the counts once every shard is."""
    there = [n for n in range(meta.shards) if shard_path(folder, n).is_file()]
    shards = [read_index(folder, number, meta.fingerprint) for number in there]
    skipped = [record for shard in shards for record in shard.skipped]
    write_json(folder / "skipped.json", skipped)
    if len(there) < meta.shards:
        return meta
    counts = dict(
        pictures=sum(len(shard.image_ids) for shard in shards),
        regions=sum(int(shard.offsets[-1]) for shard in shards),
        skipped=sum(record["whole"] for record in skipped),
    )
    meta = replace(meta, counts=counts)
    write_meta(folder, meta)
    for left in folder.glob("*.tmp"):  # of a process that was killed while it wrote
        left.unlink(missing_ok=True)
    return meta


def _encoded(
    files: Sequence[PictureFile],
    todo: Sequence[int],
    source: ProposalSource,
    teacher: Teacher,
    options: ExtractOptions,
    bar: tqdm,
) -> Iterator[tuple[int, _Shard, Tensor]]:
    """Shards with the embeddings (P, D) of all their regions, on the CPU."""
    batches = [list(_batches(len(files), number, options)) for number in todo]
    pictures = iter(loader(files, [b for own in batches for b in own], options.workers))
    scales = len(teacher.crops.scales)
    step = max(1, options.batch_size // scales) * scales
    for number, own in zip(todo, batches, strict=True):
        shard = _Shard()
        crops = teacher.crops.crop(
            _with_boxes((next(pictures) for _ in own), source, teacher.device, shard, options, bar),
            teacher.image_size,
            teacher.interpolation,
            step,
        )
        parts = [
            teacher.crops.fuse_scales(teacher.encode_images(batch)).half() for batch in ahead(crops)
        ]
        none = torch.zeros(0, teacher.dim, dtype=torch.float16, device=teacher.device)
        yield number, shard, torch.cat([none, *parts]).cpu()  # the device is waited for once


def _with_boxes(
    batches: Iterable[Sequence[Picture]],
    source: ProposalSource,
    device: torch.device,
    shard: _Shard,
    options: ExtractOptions,
    bar: tqdm,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Pixels (on the device) and boxes of the good pictures; notes everything in ``shard``."""
    for batch in batches:
        good = [picture for picture in batch if picture.pixels is not None]
        for picture in batch:
            if picture.problem:
                shard.skipped.append(_skipped(picture.file, picture.problem, whole=True))
        for picture, found in zip(good, source.propose(good) if good else [], strict=True):
            size = tuple(picture.pixels.shape[1:])
            boxes, scores, dropped = tidy(found, size, options.per_image, options.min_size)
            if dropped:
                reason = f"{dropped} of {len(found[0])} boxes: outside of the picture, no area, NaN"
                reason += f" or a side below {options.min_size:g} pixels"
                shard.skipped.append(_skipped(picture.file, reason, whole=False))
            shard.files.append(picture.file)
            shard.boxes.append(boxes)
            shard.scores.append(scores)
            yield picture.pixels.to(device, non_blocking=True), boxes
        bar.update(len(batch))


def ahead(items: Iterable[T]) -> Iterator[T]:
    """The items, each made in a thread while the one before it is in use.

    The thread has one core: with a team of its own it would take turns with the encoder's.
    """
    end = object()
    iterator = iter(items)
    threads = torch.get_num_threads()
    with ThreadPoolExecutor(1) as thread:
        thread.submit(torch.set_num_threads, 1).result()
        torch.set_num_threads(threads)  # torch keeps the last number for threads that begin later
        coming = thread.submit(next, iterator, end)
        while (item := coming.result()) is not end:
            coming = thread.submit(next, iterator, end)
            yield item


def seconds_a_region(teacher: Teacher, batch_size: int) -> float:
    """Measures the teacher on a batch of noise, after one to warm up; all scales of a region."""
    size = teacher.image_size
    crops = torch.randint(0, 256, (batch_size, 3, size, size), dtype=torch.uint8)
    teacher.encode_images(crops)
    start = time.perf_counter()
    teacher.encode_images(crops).cpu()
    return (time.perf_counter() - start) / batch_size * len(teacher.crops.scales)


def bytes_a_region(dim: int) -> int:
    """On disk: a float16 embedding, a float32 box and score."""
    return 2 * dim + 4 * 5


def _batches(count: int, number: int, options: ExtractOptions) -> Iterator[list[int]]:
    """Indices of a shard's pictures, few at a time; never across shards, so that a shard does not
    depend on which others were made with it."""
    start = number * options.pictures_a_shard
    rows = range(start, min(start + options.pictures_a_shard, count))
    for place in range(0, len(rows), PICTURES_AT_A_TIME):
        yield list(rows[place : place + PICTURES_AT_A_TIME])


def agree(folder: Path, meta: StoreMeta, rank: int = 0) -> StoreMeta:
    """Process 0 writes the plan of a store; where one is there, it and others compare.

    Raises:
        UserError: the store was begun differently, or the folder has something else in it.
    """
    if rank == 0 and not (folder / NAME).is_file():
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UserError(f"{folder} is no store and not empty; name another folder with -o")
        write_meta(folder, meta)
        return meta
    wait_for(folder / NAME, SECONDS_TO_WAIT)
    meta.check_same(read_meta(folder), folder)
    return meta


def _check_files(files: Sequence[PictureFile]) -> None:
    if not files:
        raise UserError("no pictures to extract from; expected an annotation file with images")
    ids = [file.image_id for file in files]
    if len(set(ids)) < len(ids):
        repeated = next(i for i in ids if ids.count(i) > 1)
        raise UserError(f"image id {repeated} occurs twice; expected one picture an id")
    if not any(Path(file.path).is_file() for file in files[:PICTURES_AT_A_TIME]):
        raise UserError(
            f"no picture {files[0].path}, nor the next ones; check --images, or data_root of the "
            "config"
        )


def _hash_ids(files: Sequence[PictureFile]) -> str:
    ids = torch.tensor([file.image_id for file in files], dtype=torch.int64)
    return hashlib.sha256(ids.numpy().tobytes()).hexdigest()[:16]


def _skipped(file: PictureFile, reason: str, whole: bool) -> dict[str, Any]:
    return dict(image_id=file.image_id, file=Path(file.path).name, reason=reason, whole=whole)
