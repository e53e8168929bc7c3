"""Time and space of an extraction, before hours are spent."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ovdistill.core.errors import UserError
from ovdistill.extraction import extract as extraction
from ovdistill.extraction.estimate import bytes_per_region, describe_passes, seconds_per_image
from ovdistill.extraction.images import ImageFile
from ovdistill.extraction.proposals import ProposalSource
from ovdistill.store import TeacherStore
from ovdistill.store.maintenance import verify
from ovdistill.teacher import Teacher

DRY_RUN_IMAGES = 4


def estimate(
    files: Sequence[ImageFile], teacher: Teacher, settings: extraction.ExtractionSettings, out: Path
) -> None:
    """Print an estimate of time and space.

    Args:
        files: the images.
        teacher: what embeds their regions; it is timed.
        settings: how the store is filled.
        out: folder of the store.

    Raises:
        UserError: the disk has less space than the store may need.
    """
    regions = len(files) * settings.per_image
    one = seconds_per_image(teacher, settings.batch_size, settings.per_image)
    seconds = len(files) * one / settings.world_size
    needed = regions * bytes_per_region(teacher.embed_dim)
    print(
        f"at most {regions:,} regions of {len(files):,} images, "
        f"{describe_passes(teacher)}: {needed / 2**30:.2f} GB; the teacher alone takes "
        f"about {duration(seconds)} (processes: {settings.world_size}, on {teacher.device})"
    )
    there = next(folder for folder in (out, *out.absolute().parents) if folder.is_dir())
    done = sum(file.stat().st_size for file in out.glob("shard-*")) if out.is_dir() else 0
    free = shutil.disk_usage(there).free
    if needed - done > free:
        raise UserError(
            f"{there} has {free / 2**30:.2f} GB free, the store may need {needed / 2**30:.2f}; "
            "make space, name another folder with -o, or take fewer regions with --per-image"
        )


def dry_run(
    files: Sequence[ImageFile],
    source: ProposalSource,
    teacher: Teacher,
    settings: extraction.ExtractionSettings,
) -> None:
    """Make a store of the first images in a folder that is deleted, and print the time of all.

    Args:
        files: the images.
        source: proposes the boxes.
        teacher: embeds the regions.
        settings: how the store is to be filled, by as many processes; this one makes all of the
            few images.
    """
    alone = replace(settings, rank=0, world_size=1)
    with tempfile.TemporaryDirectory() as folder:
        few = files[:DRY_RUN_IMAGES]
        start = time.perf_counter()
        meta = extraction.extract(few, source, teacher, Path(folder, "store"), alone)
        seconds = (time.perf_counter() - start) / len(few)
        verify(Path(folder, "store"))
        store = TeacherStore(Path(folder, "store"))
        counts = {image_id: len(store[image_id]) for image_id in store.image_ids}
    total = duration(seconds * len(files) / settings.world_size)
    print(f"dry run: {meta.summary}; regions of each image: {counts}")
    print(f"{seconds:.2f} s an image, so about {total} for all {len(files):,}; nothing was kept")


def duration(seconds: float) -> str:
    """Return a time as text: '3.2 h', '12.0 min' or '40 s'."""
    for limit, unit in ((3600, "h"), (60, "min")):
        if seconds >= limit:
            return f"{seconds / limit:.1f} {unit}"
    return f"{seconds:.0f} s"
