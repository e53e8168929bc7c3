"""Fills a store: worker processes read images, a thread crops them, the teacher encodes batches.

Each process of a job fills its own shards and waits for no other. Shards that it leaves undone are
made by any later run.

Shapes: P regions, D embedding width.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from ovdistill.core.errors import UserError
from ovdistill.core.logs import progress
from ovdistill.extraction.images import (
    ImageFile,
    LoadedImage,
    check_some_are_there,
    image_loader,
)
from ovdistill.extraction.prefetch import prefetch
from ovdistill.extraction.proposals import ProposalSource, keep_best_boxes
from ovdistill.store import Regions
from ovdistill.store.meta import StoreMeta, check_regions
from ovdistill.store.plan import begin_store, finish_store
from ovdistill.store.shard import shard_path, write_shard
from ovdistill.store.stored_image import StoredImage
from ovdistill.store.teacher_store import IMAGES_PER_SHARD
from ovdistill.teacher import Teacher

IMAGES_PER_BATCH = 8  # read together, and proposed for together


@dataclass(frozen=True)
class ExtractionSettings:
    """How a store is filled.

    The first three are part of the store's plan: a store that was begun with other values cannot
    be continued.

    Attributes:
        per_image: the largest number of regions of an image; those of the highest objectness are
            kept.
        min_size: shortest side of a region in pixels; smaller regions are dropped.
        images_per_shard: images in a file of the store, the most that a crash can lose.
        batch_size: crops in a forward pass of the teacher, or as many pixels of whole images.
        workers: processes that read images; 0 = this process.
        rank: number of this process among those that fill the store.
        world_size: number of processes that fill the store.
    """

    per_image: int = 300
    min_size: float = 0.0
    images_per_shard: int = IMAGES_PER_SHARD
    batch_size: int = 128
    workers: int = 1
    rank: int = 0
    world_size: int = 1


@dataclass
class _Shard:
    """Images, boxes and skipped records of a shard, collected before its regions are encoded."""

    image_ids: list[int] = field(default_factory=list)
    images: list[StoredImage] = field(default_factory=list)
    boxes: list[Tensor] = field(default_factory=list)
    scores: list[Tensor] = field(default_factory=list)
    skipped: list[dict[str, Any]] = field(default_factory=list)


def plan_store(
    files: Sequence[ImageFile],
    source: ProposalSource,
    teacher: Teacher,
    options: ExtractionSettings,
    origin: Mapping[str, str] | None = None,
) -> StoreMeta:
    """Make the plan of a store, see ``extract`` for the arguments."""
    provenance = dict(
        **teacher.id.to_header(),
        random_teacher=teacher.random,
        dim=teacher.embed_dim,
        precision=getattr(teacher, "precision", "fp32"),
        image_size=teacher.image_size,
        interpolation=teacher.interpolation,
        crops=teacher.crops.to_dict(),
        proposals=source.provenance,
        per_image=options.per_image,
        min_size=options.min_size,
        pictures_a_shard=options.images_per_shard,
        image_ids=hash_ids(files),
    )
    shards = -(-len(files) // options.images_per_shard)
    return StoreMeta(provenance, len(files), shards, origin={**source.origin, **(origin or {})})


def extract(
    files: Sequence[ImageFile],
    source: ProposalSource,
    teacher: Teacher,
    folder: str | Path,
    options: ExtractionSettings,
    origin: Mapping[str, str] | None = None,
) -> StoreMeta:
    """Make a store, or finish one that was begun.

    Args:
        files: the images, in their order in the store.
        source: proposes the boxes of the regions; its ``check`` tells beforehand if they fit.
        teacher: embeds the regions.
        folder: the store.
        options: how the store is filled.
        origin: digests that identify the inputs, see ``config_inputs.training_source``.

    Returns:
        The content of the store's ``meta.json``, with counts if the store is complete now.

    Raises:
        UserError: no images, an image id that occurs twice, a store that was begun differently, no
            space to write, or a complete store without any region.
    """
    folder = Path(folder)
    _check_files(files)
    meta = begin_store(folder, plan_store(files, source, teacher, options, origin), options.rank)
    mine = range(options.rank, meta.shards, options.world_size)
    paths = {number: shard_path(folder, number) for number in mine}
    todo = {number: path for number, path in paths.items() if not path.is_file()}
    with _progress_bar(len(files), mine, todo, options) as bar:
        for number, shard, embeddings in _encoded(files, todo, source, teacher, options, bar):
            parts = embeddings.split([len(boxes) for boxes in shard.boxes])
            regions = map(Regions, shard.boxes, shard.scores, parts)
            records = list(zip(shard.image_ids, regions, strict=True))
            of_store = meta.fingerprint, meta.embed_dim, records
            write_shard(folder, number, *of_store, shard.skipped, shard.images)
    meta = finish_store(folder, meta)
    check_regions(folder, meta)
    return meta


def _progress_bar(
    count: int, mine: Iterable[int], todo: Iterable[int], options: ExtractionSettings
) -> tqdm:
    """Make a progress bar over the images of this process, those of finished shards included."""
    sizes = {number: len(_rows(count, number, options)) for number in mine}
    missing = set(todo)
    return progress(
        title="teacher regions",
        total=sum(sizes.values()),
        initial=sum(size for number, size in sizes.items() if number not in missing),
        unit="image",
        disable=options.rank > 0,
        smoothing=0.05,
    )


def _encoded(
    files: Sequence[ImageFile],
    todo: Mapping[int, Path],
    source: ProposalSource,
    teacher: Teacher,
    options: ExtractionSettings,
    bar: tqdm,
) -> Iterator[tuple[int, _Shard, Tensor]]:
    """Yield number, images and boxes, and (P, D) float16 embeddings on the CPU, of each shard.

    A shard whose file is there when its turn comes was made by another run, and is left out.
    """
    batches = [list(_batches(len(files), number, options)) for number in todo]
    images = iter(image_loader(files, [b for own in batches for b in own], options.workers))
    for (number, path), own in zip(todo.items(), batches, strict=True):
        if path.is_file():
            for _ in own:  # the loader has read them
                bar.update(len(next(images)))
            continue
        shard = _Shard()
        loaded = (next(images) for _ in own)
        regions = _with_boxes(loaded, source, teacher.device, shard, options, bar)
        made = prefetch(teacher.region_batches(regions, options.batch_size))
        parts = [teacher.embed_batch(batch).half() for batch in made]
        none = torch.zeros(0, teacher.embed_dim, dtype=torch.float16, device=teacher.device)
        yield number, shard, torch.cat([none, *parts]).cpu()  # waits for the device once a shard


def _with_boxes(
    batches: Iterable[Sequence[LoadedImage]],
    source: ProposalSource,
    device: torch.device,
    shard: _Shard,
    options: ExtractionSettings,
    bar: tqdm,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield pixels, on the device, and boxes of the images without a problem.

    Images, boxes, scores and whatever is skipped are added to ``shard``.
    """
    for batch in batches:
        good = [image for image in batch if image.pixels is not None]
        for image in batch:
            if image.problem:
                shard.skipped.append(_skipped(image.file, image.problem, whole=True))
        for image, found in zip(good, source.propose(good) if good else [], strict=True):
            assert image.pixels is not None
            height, width = image.pixels.shape[1:]
            boxes, scores, dropped = keep_best_boxes(
                found, (height, width), options.per_image, options.min_size
            )
            if dropped:
                reason = f"{dropped} of {len(found[0])} boxes: outside of the image, no area, NaN"
                reason += f" or a side below {options.min_size:g} pixels"
                shard.skipped.append(_skipped(image.file, reason, whole=False))
            shard.image_ids.append(image.file.image_id)
            shard.images.append(StoredImage.of_file(image.file.path, (height, width)))
            shard.boxes.append(boxes)
            shard.scores.append(scores)
            yield image.pixels.to(device, non_blocking=True), boxes
        bar.update(len(batch))


def _batches(count: int, number: int, options: ExtractionSettings) -> Iterator[list[int]]:
    """Yield the indices of a shard's images in small batches.

    No batch has images of two shards: so a shard does not depend on which others are made with it.
    """
    rows = _rows(count, number, options)
    for start in range(0, len(rows), IMAGES_PER_BATCH):
        yield list(rows[start : start + IMAGES_PER_BATCH])


def _rows(count: int, number: int, options: ExtractionSettings) -> range:
    """Return the indices of a shard's images among ``count`` images."""
    start = number * options.images_per_shard
    return range(start, min(start + options.images_per_shard, count))


def _check_files(files: Sequence[ImageFile]) -> None:
    check_some_are_there(files)
    ids = [file.image_id for file in files]
    if len(set(ids)) < len(ids):
        repeated = next(i for i, count in Counter(ids).items() if count > 1)
        raise UserError(f"image id {repeated} occurs twice; expected an id for each image")


def hash_ids(files: Sequence[ImageFile]) -> str:
    """Return 16 hex digits that identify the ids of images in their order."""
    ids = torch.tensor([file.image_id for file in files], dtype=torch.int64)
    return hashlib.sha256(ids.numpy().tobytes()).hexdigest()[:16]


def _skipped(file: ImageFile, reason: str, *, whole: bool) -> dict[str, Any]:
    """Return a record of ``skipped.json``: of a whole image, or of some boxes of it."""
    return dict(image_id=file.image_id, file=Path(file.path).name, reason=reason, whole=whole)
