"""Write an index: detect once, and keep the regions of every image.

What a run has finished stays: a later one goes on where it stopped, and takes images that are new
or have changed into a further part (see ``store.index_files``).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ovdistill.core.errors import UserError
from ovdistill.core.files import hash_file
from ovdistill.core.images import ImageError, read_image
from ovdistill.core.locks import NAME as LOCK
from ovdistill.core.locks import folder_lock
from ovdistill.core.logs import progress
from ovdistill.inference.detector import Detector
from ovdistill.inference.search.find_regions import find_regions, known_names
from ovdistill.inference.sources import find_sources
from ovdistill.store import index_files as files
from ovdistill.store.index_files import ImageRecord, IndexHeader
from ovdistill.store.meta import NAME as META
from ovdistill.store.meta import StoreMeta, read_meta
from ovdistill.store.plan import begin_store, finish_store
from ovdistill.store.regions import Regions
from ovdistill.store.shard import read_index, shard_path, write_shard
from ovdistill.store.teacher_store import IMAGES_PER_SHARD

REGIONS = 20  # of an image, at most
MADE_BY = ("detector_hash", "teacher", "teacher_hash", "regions")  # in which all parts are alike


@dataclass(frozen=True)
class IndexReport:
    """What a run of ``write_index`` did.

    Attributes:
        images: how many it was given.
        known: how many of them were in the index, and have not changed since.
        changed: how many of them have changed since, or can be read by now, and were taken again.
        resumed: how many images of an earlier run it has finished.
        regions: how many regions it has added.
        gone: how many images of the index are not there any more.
        skipped: path and reason of each image that could not be read, now or by an earlier run, and
            of each folder that could not be listed.
    """

    images: int
    known: int
    changed: int
    resumed: int
    regions: int
    gone: int
    skipped: tuple[tuple[str, str], ...]


def write_index(
    images: Any,
    folder: str | os.PathLike[str],
    detector: Detector,
    model: str,
    regions: int = REGIONS,
    batch_size: int = 1,
) -> IndexReport:
    """Write an index, or add what is new to one.

    Args:
        images: paths, folders, patterns or a list of these, see ``find_sources``.
        folder: the index.
        detector: a two-stage detector, whose class names of the training are known.
        model: its name, by which a search finds it again; see ``Detector.from_pretrained``.
        regions: the most regions of an image.
        batch_size: images in a forward pass.

    Raises:
        UserError: images that are no files, an index of another detector or with another number
            of regions, a folder with something else in it, or one that another process writes to.
    """
    paths, unlisted = find_image_paths(images)
    folder = Path(folder)
    planned = _plan(paths, detector, model, regions)
    _check_folder(folder)
    with folder_lock(folder, "indexing"):
        header = _begin(folder, planned)
        part = files.count_parts(folder)
        resumed = bool(part) and not _is_finished(folder, part - 1)
        if resumed:
            _fill(folder, part - 1, header, detector, batch_size)
        lists = [files.read_images(files.images_path(folder, own)) for own in range(part)]
        there = files.latest_records(lists)
        failed = _failed(folder, range(part))
        given = [ImageRecord.of_file(0, path, header.root) for path in paths]
        new = _new_records(given, header.root, there, failed, first_id=sum(map(len, lists)))
        if new:
            files.write_images(files.images_path(folder, part), new)
            _fill(folder, part, header, detector, batch_size)
            failed |= _failed(folder, [part])
    done = [part - 1] * resumed + [part] * bool(new)
    latest = there | {record.file: record for record in new}
    looked_at = [*(lists[-1] if resumed else ()), *given]
    ids = dict.fromkeys(latest[record.file].image_id for record in looked_at)
    return IndexReport(
        images=len(paths),
        known=len(paths) - len(new),
        changed=sum(record.file in there for record in new),
        resumed=len(lists[-1]) if resumed else 0,
        regions=sum(_meta(folder, own).counts["regions"] for own in done),
        gone=len(files.gone(latest.values(), header.root)),
        skipped=(
            *(failed[image_id] for image_id in ids if image_id in failed),
            *((str(path), "the folder cannot be listed") for path in unlisted),
        ),
    )


def find_image_paths(images: Any) -> tuple[list[Path], list[Path]]:
    """Return the files that a user means, each once, and the folders that cannot be listed.

    Raises:
        UserError: see ``find_sources``; no image, or one that is no file.
    """
    sources = find_sources(images)
    if not sources:
        raise UserError("got no images for an index; expected at least one")
    for source in sources:
        if source.path is None:
            raise UserError(f"got {source.name}; an index names files: expected paths of images")
    paths = dict.fromkeys(source.path.absolute() for source in sources if source.path)
    return [*paths], sources.unreadable


def _plan(paths: Sequence[Path], detector: Detector, model: str, regions: int) -> IndexHeader:
    """Return the header of a new index of these images."""
    teacher = known_names(detector).teacher
    if detector.files.weights is None:
        raise UserError("got an untrained detector for an index; expected one with weights")
    return IndexHeader(
        root=os.path.commonpath([path.parent for path in paths]),
        model=model,
        detector_hash=hash_file(detector.files.weights),
        teacher=teacher.name,
        teacher_hash=teacher.weights_hash,
        regions=regions,
    )


def _check_folder(folder: Path) -> None:
    """Raise UserError unless a folder is an index, empty, or not there."""
    if (folder / files.HEADER).is_file() or not folder.is_dir():
        return
    if any(path.name != LOCK for path in folder.iterdir()):
        raise UserError(f"{folder} is no index and not empty; name another folder with -o")


def _begin(folder: Path, planned: IndexHeader) -> IndexHeader:
    """Write the header of a new index, or return that of the index that is there.

    Raises:
        UserError: it was made by another detector, or with another number of regions.
    """
    if not (folder / files.HEADER).is_file():
        files.write_header(folder, planned)
    there = files.read_index_header(folder)
    different = [
        f"{key}: {getattr(there, key)} there, {getattr(planned, key)} now"
        for key in MADE_BY
        if getattr(there, key) != getattr(planned, key)
    ]
    if different:
        raise UserError(
            f"index {folder} was made differently: {'; '.join(different)}. Give the same --model "
            f"({there.model}) and --regions ({there.regions}), or name another folder with -o."
        )
    return there


def _new_records(
    given: Sequence[ImageRecord],
    root: str,
    there: Mapping[str, ImageRecord],
    failed: Mapping[int, tuple[str, str]],
    first_id: int,
) -> list[ImageRecord]:
    """Return the images that are new, have changed or can be read by now, numbered anew."""
    new: list[ImageRecord] = []
    for record in given:
        known = there.get(record.file)
        same = known is not None and replace(record, image_id=known.image_id) == known
        if known is None or not same or (known.image_id in failed and _is_readable(record, root)):
            new.append(replace(record, image_id=first_id + len(new)))
    return new


def _is_readable(record: ImageRecord, root: str) -> bool:
    try:
        read_image(record.path(root))
    except ImageError:
        return False
    return True


def _is_finished(folder: Path, part: int) -> bool:
    store = files.regions_path(folder, part)
    return (store / META).is_file() and bool(read_meta(store).counts)


def _meta(folder: Path, part: int) -> StoreMeta:
    return read_meta(files.regions_path(folder, part))


def _failed(folder: Path, parts: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Return path and reason of each image of finished parts that could not be read, by its id."""
    failed: dict[int, tuple[str, str]] = {}
    for part in parts:
        store = files.regions_path(folder, part)
        meta = read_meta(store)
        for number in range(meta.shards):
            for record in read_index(store, number, meta.fingerprint).skipped:
                failed[record["image_id"]] = (record["file"], record["reason"])
    return failed


def _fill(
    folder: Path, part: int, header: IndexHeader, detector: Detector, batch_size: int
) -> None:
    """Write the store of a part, or the shards of it that are missing."""
    records = files.read_images(files.images_path(folder, part))
    store = files.regions_path(folder, part)
    provenance = dict(
        teacher=header.teacher,
        teacher_hash=header.teacher_hash,
        dim=known_names(detector).embed_dim,
        detector_hash=header.detector_hash,
        regions_of_image=header.regions,
        images=hash_file(files.images_path(folder, part)),
    )
    shards = [
        records[start : start + IMAGES_PER_SHARD]
        for start in range(0, len(records), IMAGES_PER_SHARD)
    ]
    meta = begin_store(store, StoreMeta(provenance, len(records), len(shards)))
    with progress(title="indexing", unit="image", total=len(records)) as bar:
        for number, own in enumerate(shards):
            if shard_path(store, number).is_file():
                bar.update(len(own))
                continue
            found, skipped = _detect(own, header, detector, batch_size, bar)
            write_shard(store, number, meta.fingerprint, meta.embed_dim, found, skipped)
    finish_store(store, meta)


def _detect(
    records: Sequence[ImageRecord],
    header: IndexHeader,
    detector: Detector,
    batch_size: int,
    bar: tqdm[Any],
) -> tuple[list[tuple[int, Regions]], list[dict[str, Any]]]:
    """Return the regions of images by their id, and a record of each that cannot be read."""
    found: list[tuple[int, Regions]] = []
    skipped: list[dict[str, Any]] = []
    for start in range(0, len(records), batch_size):
        batch = records[start : start + batch_size]
        images: dict[int, np.ndarray] = {}
        for record in batch:
            try:
                images[record.image_id] = read_image(record.path(header.root))
            except ImageError as error:
                reason = dict(file=record.file, reason=error.problem, whole=True)
                skipped.append({"image_id": record.image_id, **reason})
        if images:
            regions = find_regions(detector, list(images.values()), header.regions)
            found += zip(images, regions, strict=True)
        bar.update(len(batch))
    return found, skipped
