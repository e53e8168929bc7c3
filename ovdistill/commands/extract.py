"""Makes a store of the teacher's region embeddings.

    ovdistill extract --config configs/vild_r50_lvis.py                # all from the config
    ovdistill extract --images train2017 --annotations instances.json --teacher ViT-B-32:openai \\
        --proposals boxes.json -o regions
    torchrun --nproc_per_node 8 -m ovdistill.cli extract --config C --launcher pytorch

Stopped at any moment, the same command goes on where it was.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mmengine.config import DictAction

from ovdistill.arguments import add_teacher_arguments, default_device, teacher_options
from ovdistill.errors import UserError

if TYPE_CHECKING:
    from mmengine.config import Config

    from ovdistill.store.extract import ExtractOptions
    from ovdistill.store.pictures import PictureFile
    from ovdistill.store.proposals import ProposalSource
    from ovdistill.teacher import Teacher

RANDOM_NOTE = "RANDOM TEACHER WEIGHTS: THE EMBEDDINGS MEAN NOTHING, THE STORE IS A TEST OF THE CODE"
DRY_RUN_PICTURES = 4
SECONDS_FOR_WORDS = 3600  # LVIS's with 63 templates, which process 0 embeds


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        "ovdistill extract",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_teacher_arguments(parser)
    add = parser.add_argument
    add("--cfg-options", nargs="+", action=DictAction, help="overrides of the config: key=value")
    add("--images", metavar="DIR", help="folder of the pictures (default: the config's)")
    add("--annotations", metavar="FILE", help="lists the pictures (default: the config's)")
    add(
        "--proposals",
        metavar="SOURCE",
        help="weights of a proposal network (with --network), a .json file of COCO results, 'gt' "
        "(labelled boxes of base words), or 'grid' or 'random' (to try the code out); the config's "
        "network by default",
    )
    add("--network", metavar="CONFIG", help="config of the proposal network")
    add("--vocabulary", help="says which words are base, for 'gt' (default: the config's)")
    add("--per-image", type=int, help="regions of a picture (default: the config's, or 300)")
    add("--min-size", type=float, default=0.0, help="shortest side of a region in pixels")
    add("--crop-shape", choices=["clip", "square", "pad", "squash"], help="how crops are squared")
    add("--crop-scales", type=float, nargs="+", help="enlargements of a box, e.g. 1.0 1.5")
    add("--crop-fuse", choices=["sum_then_norm", "norm_then_mean"], help="how scales are joined")
    add("--batch-size", type=int, help="crops a forward pass (default: 64 on a CPU, 512 on a GPU)")
    add("--workers", type=int, help="processes that read pictures (default: 1 on a CPU, else 4)")
    add("--shard-pictures", type=int, default=128, help="pictures a file: what a crash can lose")
    add("--dry-run", action="store_true", help="a few pictures end to end, nothing is kept")
    add("--launcher", choices=["none", "pytorch", "slurm"], default="none", help="of processes")
    add("-o", "--out", metavar="STORE", help="folder to make (default: the config's regions)")
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> None:
    """Runs the command; bad input raises UserError."""
    args = parse_args(argv)
    # imported here: the help is there at once, and --offline is read before the hub's library
    from ovdistill.processes import ranks_of, wait_for

    rank, world_size, local_rank = ranks_of(args.launcher)
    for name in ("per_image", "batch_size", "shard_pictures"):
        if getattr(args, name) is not None and getattr(args, name) < 1:
            raise UserError(f"got --{name.replace('_', '-')} {getattr(args, name)}; expected 1 up")
    if not args.config and not (args.images and args.annotations and args.proposals and args.out):
        raise UserError("without --config give --images, --annotations, --proposals and -o")

    import ovdistill.register  # noqa: F401
    from ovdistill.build import load_config
    from ovdistill.prepare import prepare_words
    from ovdistill.store.extract import ExtractOptions, extract
    from ovdistill.teacher import build_teacher

    config = load_config(args.config, args.cfg_options) if args.config else None
    device = args.device or default_device()
    device = f"cuda:{local_rank}" if device == "cuda" else device
    on_cpu = device == "cpu"
    options = ExtractOptions(
        per_image=args.per_image or (config and _step(config, "regions").get("per_image")) or 300,
        min_size=args.min_size,
        pictures_a_shard=args.shard_pictures,
        batch_size=args.batch_size or (64 if on_cpu else 512),
        workers=(1 if on_cpu else 4) if args.workers is None else args.workers,
        rank=rank,
        world_size=world_size,
    )
    out = Path(args.out or config.get("regions") or _no_output(args))
    if not args.annotations and config.get("vocabulary"):  # which the config's pictures need
        if rank == 0:
            prepare_words(config)
        else:
            wait_for(Path(config.vocabulary), SECONDS_FOR_WORDS)
    files = pictures(args, config)
    source = proposals(args, config, options, device)
    teacher = build_teacher(_with_crops(args, teacher_options(args)), device)
    if rank == 0:
        if teacher.random:
            print(RANDOM_NOTE)
        estimate(files, teacher, options, out)
    if args.dry_run:
        dry_run(files, source, teacher, options)
        return
    meta = extract(files, source, teacher, out, options)
    if meta.counts:
        print(f"{out} is complete: " + ", ".join(f"{v} {k}" for k, v in meta.counts.items()))
        if meta.counts["skipped"]:
            print(f"what was skipped, and why: {out / 'skipped.json'}")
    else:
        print(
            f"process {rank}: its share of {out} is done; others are not (run again if they died)"
        )


def pictures(args: argparse.Namespace, config: Config | None) -> list[PictureFile]:
    """The pictures that the arguments or the config name."""
    from ovdistill.datasets.annotations import read_annotations
    from ovdistill.store.inputs import training_pictures
    from ovdistill.store.pictures import PictureFile

    if not args.annotations:
        return training_pictures(config)
    folder = Path(args.images or "")
    if not args.images or not folder.is_dir():
        raise UserError(f"got --images {args.images} with --annotations; expected their folder")
    return [
        PictureFile(
            image["id"], str(folder / image["file_name"]), (image["height"], image["width"])
        )
        for image in read_annotations(Path(args.annotations)).images
    ]


def proposals(
    args: argparse.Namespace, config: Config | None, options: ExtractOptions, device: str
) -> ProposalSource:
    """Where the boxes come from."""
    from ovdistill.build import load_config
    from ovdistill.store import proposals as sources
    from ovdistill.store.inputs import network_proposals
    from ovdistill.vocabulary import Vocabulary

    named = args.proposals
    if named is None:
        return network_proposals(config, device)
    if named == "grid":
        return sources.GridProposals(options.per_image)
    if named == "random":
        return sources.RandomProposals(options.per_image)
    if named == "gt":
        path = args.vocabulary or (config and config.vocabulary)
        if not path:
            raise UserError("--proposals gt needs --vocabulary: it says which words are base")
        words = Vocabulary.load(path)
        base = [n for n, is_base in zip(words.names, words.is_base, strict=True) if is_base]
        annotations = args.annotations or _training_annotations(config)
        return sources.LabelledProposals(annotations, base)
    if not Path(named).is_file():
        raise UserError(f"got --proposals {named}; expected a file, 'gt', 'grid' or 'random'")
    if named.endswith(".json"):
        return sources.FileProposals(named)
    if not args.network:
        raise UserError(f"--proposals {named} are weights: give --network, the config they fit")
    return sources.NetworkProposals(load_config(args.network), named, device)


def estimate(
    files: Sequence[PictureFile], teacher: Teacher, options: ExtractOptions, out: Path
) -> None:
    """Prints time and space, before hours are spent.

    Raises:
        UserError: the disk has not that much space.
    """
    from ovdistill.store.extract import bytes_a_region, seconds_a_region

    regions = len(files) * options.per_image
    seconds = regions * seconds_a_region(teacher, options.batch_size) / options.world_size
    needed = regions * bytes_a_region(teacher.dim)
    print(
        f"at most {regions:,} regions of {len(files):,} pictures, "
        f"{len(teacher.crops.scales)} crops each: {needed / 2**30:.2f} GB; the teacher alone takes "
        f"about {duration(seconds)} (processes: {options.world_size}, on {teacher.device})"
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
    files: Sequence[PictureFile], source: ProposalSource, teacher: Teacher, options: ExtractOptions
) -> None:
    """A store of a few pictures, in a folder that is deleted."""
    import time

    from ovdistill.store import TeacherStore
    from ovdistill.store.extract import extract
    from ovdistill.store.maintain import verify

    with tempfile.TemporaryDirectory() as folder:
        few = files[:DRY_RUN_PICTURES]
        start = time.perf_counter()
        meta = extract(few, source, teacher, Path(folder, "store"), options)
        seconds = (time.perf_counter() - start) / len(few)
        verify(Path(folder, "store"))
        store = TeacherStore(Path(folder, "store"))
        counts = {image_id: len(store[image_id]) for image_id in store.image_ids}
    total = duration(seconds * len(files) / options.world_size)
    print(f"dry run: {meta.counts}; regions of each picture: {counts}")
    print(f"{seconds:.2f} s a picture, so about {total} for all {len(files):,}; nothing was kept")


def duration(seconds: float) -> str:
    """'3.2 h', '12 min' or '40 s'."""
    for limit, unit in ((3600, "h"), (60, "min")):
        if seconds >= limit:
            return f"{seconds / limit:.1f} {unit}"
    return f"{seconds:.0f} s"


def _with_crops(args: argparse.Namespace, options: dict) -> dict:
    """The teacher with the crop policy of the command line."""
    given = dict(shape=args.crop_shape, scales=args.crop_scales, fuse=args.crop_fuse)
    given = {key: value for key, value in given.items() if value is not None}
    return dict(options, crops={**(options.get("crops") or {}), **given})


def _step(config: Config, name: str) -> dict:
    return config.get("prepare", {}).get(name) or {}


def _training_annotations(config: Config) -> str:
    return os.path.join(config.data_root, config.train_dataloader.dataset.ann_file)


def _no_output(args: argparse.Namespace) -> str:
    raise UserError(f"{args.config} names no regions: give the folder to make with -o")
