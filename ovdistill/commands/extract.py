"""Make a store of the teacher's region embeddings.

    ovdistill extract --config vild_r50_lvis                           # all from the config
    ovdistill extract --images train2017 --annotations instances.json --teacher ViT-B-32:openai \\
        --proposals boxes.json -o regions
    torchrun --nproc_per_node 8 -m ovdistill extract --config C --launcher pytorch

Stopped at any moment, the same command goes on where it was.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ovdistill.commands.options import flag, option
from ovdistill.commands.teacher_options import TeacherOptions, teacher_arguments
from ovdistill.core.errors import UserError
from ovdistill.core.recipes import find_recipe

if TYPE_CHECKING:
    import torch
    from mmengine.config import Config

    from ovdistill.extraction.extract import ExtractOptions as Settings
    from ovdistill.extraction.images import ImageFile
    from ovdistill.extraction.proposals import ProposalSource
    from ovdistill.teacher import Teacher

RANDOM_NOTE = "RANDOM TEACHER WEIGHTS: THE EMBEDDINGS MEAN NOTHING, THE STORE IS A TEST OF THE CODE"
DRY_RUN_IMAGES = 4
SECONDS_FOR_VOCABULARY = 3600  # LVIS's with 63 templates, which process 0 embeds


@dataclass(frozen=True, kw_only=True)
class ExtractOptions(TeacherOptions):
    """Options of ``ovdistill extract``."""

    images: str | None = option(
        None, metavar="DIR", help="folder of the images (default: the config's)"
    )
    annotations: str | None = option(
        None, metavar="FILE", help="lists the images (default: the config's)"
    )
    proposals: str | None = option(
        None,
        metavar="SOURCE",
        help="weights of a proposal network (with --network), a .json file of COCO results, 'gt' "
        "(labelled boxes of base classes), or 'grid' or 'random' (to try the code out); the "
        "config's network by default",
    )
    network: str | None = option(None, metavar="CONFIG", help="config of the proposal network")
    vocabulary: str | None = option(
        None, help="says which classes are base, for 'gt' (default: the config's)"
    )
    per_image: int | None = option(None, help="regions of an image (default: the config's, or 300)")
    min_size: float = option(0.0, help="shortest side of a region in pixels")
    crop_shape: str | None = option(
        None, choices=("clip", "square", "pad", "squash"), help="how crops are squared"
    )
    crop_scales: tuple[float, ...] = option((), help="enlargements of a box, e.g. 1.0 1.5")
    crop_fuse: str | None = option(
        None, choices=("sum_then_norm", "norm_then_mean"), help="how scales are joined"
    )
    batch_size: int | None = option(
        None, help="crops a forward pass (default: 64 on a CPU, 512 on a GPU)"
    )
    workers: int | None = option(
        None, help="processes that read images (default: 1 on a CPU, else 4)"
    )
    shard_images: int = option(
        128, old_flags=["--shard-pictures"], help="images a file: what a crash can lose"
    )
    dry_run: bool = flag(help="a few images end to end, nothing is kept")
    launcher: Literal["none", "pytorch", "slurm"] = option("none", help="of processes")
    out: str | None = option(
        None, flags=["-o"], metavar="STORE", help="folder to make (default: the config's regions)"
    )


def extract(options: ExtractOptions) -> None:
    """Make the store, or finish one that was begun.

    Raises:
        UserError: something is not named, missing or does not fit, or the disk is too small.
    """
    check_choices(options)
    from ovdistill.core.distributed import ranks_of, wait_for_file
    from ovdistill.extraction import extract as extraction
    from ovdistill.extraction.prepare import prepare_data_and_vocabulary
    from ovdistill.models.config import load_config
    from ovdistill.teacher import build_teacher

    rank, world_size, local_rank = ranks_of(options.launcher)
    config = load_config(options.config, options.overrides) if options.config else None
    device = _device(options, local_rank)
    settings = _settings(options, config, device, rank, world_size)
    out = Path(options.out or (config and config.get("regions")) or _no_output(options))
    if config is not None and not options.annotations and config.get("vocabulary"):
        if rank == 0:  # the data set of the config needs the vocabulary
            prepare_data_and_vocabulary(config)
        else:
            wait_for_file(Path(config.vocabulary), SECONDS_FOR_VOCABULARY)
    files = find_files(options, config)
    source = find_proposals(options, config, settings, device)
    teacher = build_teacher(_with_crops(options, teacher_arguments(options)), device)
    if rank == 0:
        if teacher.random:
            print(RANDOM_NOTE)
        estimate(files, teacher, settings, out)
    if options.dry_run:
        dry_run(files, source, teacher, settings)
        return
    meta = extraction.extract(files, source, teacher, out, settings)
    if meta.counts:
        print(f"{out} is complete: " + ", ".join(f"{v} {k}" for k, v in meta.counts.items()))
        if meta.counts["skipped"]:
            print(f"what was skipped, and why: {out / 'skipped.json'}")
    else:
        print(
            f"process {rank}: its share of {out} is done; others are not (run again if they died)"
        )


def check_choices(options: ExtractOptions) -> None:
    """Raise UserError for what can be seen to be wrong before anything heavy is imported."""
    for name in ("per_image", "batch_size", "shard_images"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise UserError(f"got --{name.replace('_', '-')} {value}; expected 1 up")
    own = options.images and options.annotations and options.proposals and options.out
    if options.config:
        find_recipe(options.config)
    elif not own:
        raise UserError("without --config give --images, --annotations, --proposals and -o")
    if options.annotations and not (options.images and Path(options.images).is_dir()):
        raise UserError(f"got --images {options.images} with --annotations; expected their folder")
    named = options.proposals
    if named and named not in ("gt", "grid", "random") and not Path(named).is_file():
        raise UserError(f"got --proposals {named}; expected a file, 'gt', 'grid' or 'random'")


def find_files(options: ExtractOptions, config: Config | None) -> list[ImageFile]:
    """List the images that the options or the config name."""
    from ovdistill.datasets.annotations import read_annotations
    from ovdistill.extraction.config_inputs import training_images
    from ovdistill.extraction.images import ImageFile

    if not options.annotations:
        return training_images(config)
    folder = Path(options.images or "")
    return [
        ImageFile(image["id"], str(folder / image["file_name"]), (image["height"], image["width"]))
        for image in read_annotations(options.annotations).images
    ]


def find_proposals(
    options: ExtractOptions, config: Config | None, settings: Settings, device: torch.device
) -> ProposalSource:
    """Return where the boxes come from.

    Raises:
        UserError: the source needs something that is not named.
    """
    from ovdistill.extraction import proposals as sources
    from ovdistill.extraction.config_inputs import network_proposals, training_annotations
    from ovdistill.extraction.prepare import prepare_proposals, run_step
    from ovdistill.models.config import load_config
    from ovdistill.vocabulary import Vocabulary

    named = options.proposals
    if named is None:
        run_step(config, "proposals", prepare_proposals)
        return network_proposals(config, device)
    if named == "grid":
        return sources.GridProposals(settings.per_image)
    if named == "random":
        return sources.RandomProposals(settings.per_image)
    if named == "gt":
        path = options.vocabulary or (config and config.vocabulary)
        if not path:
            raise UserError("--proposals gt needs --vocabulary: it says which classes are base")
        names = Vocabulary.load(path)
        base = [n for n, is_base in zip(names.names, names.is_base, strict=True) if is_base]
        annotations = options.annotations or training_annotations(config)
        return sources.LabelledProposals(annotations, base)
    if named.endswith(".json"):
        return sources.FileProposals(named)
    if not options.network:
        raise UserError(f"--proposals {named} are weights: give --network, the config they fit")
    return sources.NetworkProposals(load_config(options.network), named, device)


def estimate(files: Sequence[ImageFile], teacher: Teacher, settings: Settings, out: Path) -> None:
    """Print time and space, before hours are spent.

    Raises:
        UserError: the disk has not that much space.
    """
    from ovdistill.extraction.estimate import bytes_per_region, seconds_per_region

    regions = len(files) * settings.per_image
    seconds = regions * seconds_per_region(teacher, settings.batch_size) / settings.world_size
    needed = regions * bytes_per_region(teacher.embed_dim)
    print(
        f"at most {regions:,} regions of {len(files):,} images, "
        f"{len(teacher.crops.scales)} crops each: {needed / 2**30:.2f} GB; the teacher alone takes "
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
    files: Sequence[ImageFile], source: ProposalSource, teacher: Teacher, settings: Settings
) -> None:
    """Make a store of a few images in a folder that is deleted, and say what all would take."""
    import time

    from ovdistill.extraction import extract as extraction
    from ovdistill.store import TeacherStore
    from ovdistill.store.maintenance import verify

    with tempfile.TemporaryDirectory() as folder:
        few = files[:DRY_RUN_IMAGES]
        start = time.perf_counter()
        meta = extraction.extract(few, source, teacher, Path(folder, "store"), settings)
        seconds = (time.perf_counter() - start) / len(few)
        verify(Path(folder, "store"))
        store = TeacherStore(Path(folder, "store"))
        counts = {image_id: len(store[image_id]) for image_id in store.image_ids}
    total = duration(seconds * len(files) / settings.world_size)
    print(f"dry run: {meta.counts}; regions of each image: {counts}")
    print(f"{seconds:.2f} s an image, so about {total} for all {len(files):,}; nothing was kept")


def duration(seconds: float) -> str:
    """Return '3.2 h', '12 min' or '40 s'."""
    for limit, unit in ((3600, "h"), (60, "min")):
        if seconds >= limit:
            return f"{seconds / limit:.1f} {unit}"
    return f"{seconds:.0f} s"


def _device(options: ExtractOptions, local_rank: int) -> torch.device:
    """Return the device of this process."""
    import torch

    from ovdistill.core.devices import choose_device

    device = choose_device(options.device)
    if device.type == "cuda" and device.index is None:
        return torch.device("cuda", local_rank)
    return device


def _settings(
    options: ExtractOptions,
    config: Config | None,
    device: torch.device,
    rank: int,
    world_size: int,
) -> Settings:
    """Return how the store is filled, with the defaults of the config and the device."""
    from ovdistill.extraction.extract import ExtractOptions as Settings

    step = (config.get("prepare", {}).get("regions") or {}) if config is not None else {}
    on_cpu = device.type == "cpu"
    default_workers = 1 if on_cpu else 4
    return Settings(
        per_image=options.per_image or step.get("per_image") or 300,
        min_size=options.min_size,
        images_per_shard=options.shard_images,
        batch_size=options.batch_size or (64 if on_cpu else 512),
        workers=default_workers if options.workers is None else options.workers,
        rank=rank,
        world_size=world_size,
    )


def _with_crops(options: ExtractOptions, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the teacher with the crop policy of the command line."""
    given = dict(
        shape=options.crop_shape, scales=options.crop_scales or None, fuse=options.crop_fuse
    )
    chosen = {key: value for key, value in given.items() if value is not None}
    return dict(arguments, crops={**(arguments.get("crops") or {}), **chosen})


def _no_output(options: ExtractOptions) -> str:
    raise UserError(f"{options.config} names no regions: give the folder to make with -o")
