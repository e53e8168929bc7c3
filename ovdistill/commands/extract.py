r"""Make a store of the teacher's region embeddings.

    ovdistill extract --config vild_r50_lvis                           # all from the config
    ovdistill extract --images train2017 --annotations instances.json --teacher ViT-B-32:openai \
        --proposals boxes.json -o regions
    torchrun --nproc_per_node 8 -m ovdistill extract --config CONFIG --launcher pytorch

After an interruption, the same command continues where it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ovdistill.commands.checks import check_file, check_positive
from ovdistill.commands.options import complete_recipe, flag, option
from ovdistill.commands.teacher_options import TeacherOptions, teacher_arguments
from ovdistill.core.errors import UserError
from ovdistill.core.recipes import find_recipe

if TYPE_CHECKING:
    from mmengine.config import Config

    from ovdistill.store.meta import StoreMeta

RANDOM_NOTE = "RANDOM TEACHER WEIGHTS: THE EMBEDDINGS MEAN NOTHING, THE STORE IS A TEST OF THE CODE"
SECONDS_FOR_VOCABULARY = 3600  # process 0 embeds it; LVIS's takes long with 63 templates


@dataclass(frozen=True, kw_only=True)
class ExtractOptions(TeacherOptions):
    """Options of ``ovdistill extract``."""

    images: str | None = option(
        None, metavar="DIR", help="folder of the images (default: the config's)"
    )
    annotations: str | None = option(
        None, metavar="FILE", help="file that lists the images (default: the config's)"
    )
    proposals: str | None = option(
        None,
        metavar="SOURCE",
        help="weights of a proposal network (with --network), a .json file of COCO results, 'gt' "
        "(labelled boxes of base classes), or 'grid' or 'random' (to try the code out) "
        "(default: the config's network)",
    )
    network: str | None = option(
        None, metavar="CONFIG", help="config of the proposal network", completer=complete_recipe
    )
    vocabulary: str | None = option(
        None,
        metavar="FILE",
        help="vocabulary whose base classes 'gt' means (default: the config's)",
    )
    per_image: int | None = option(
        None, help="most regions in an image (default: the config's, or 300)"
    )
    min_size: float = option(0.0, help="shortest side of a region in pixels")
    crop_shape: Literal["clip", "square", "pad", "squash"] | None = option(
        None, help="how crops are made square (default: the teacher's)"
    )
    crop_scales: tuple[float, ...] = option(
        (), help="enlargements of a box, e.g. 1.0 1.5 (default: the teacher's)"
    )
    crop_fuse: Literal["sum_then_norm", "norm_then_mean"] | None = option(
        None, help="how the embeddings of several scales are joined (default: the teacher's)"
    )
    batch_size: int | None = option(
        None, help="crops in a forward pass (default: 64 on a CPU, 512 on a GPU)"
    )
    workers: int | None = option(
        None, help="processes that read images (default: 1 on a CPU, else 4)"
    )
    shard_images: int = option(
        128,
        old_flags=["--shard-pictures"],
        help="images in a file of the store, the most that an interruption can lose",
    )
    dry_run: bool = flag(help="process a few images from end to end, and keep nothing")
    launcher: Literal["none", "pytorch", "slurm"] = option(
        "none", help="what has started several processes"
    )
    out: str | None = option(
        None, flags=["-o"], metavar="STORE", help="folder to make (default: the config's regions)"
    )


def extract(options: ExtractOptions) -> None:
    """Make the store, or finish one that was begun.

    Raises:
        UserError: an input that is not named, missing or does not fit, or a disk that is too small.
    """
    check_choices(options)
    from ovdistill.commands import extract_inputs as inputs
    from ovdistill.commands.extract_estimate import dry_run, estimate
    from ovdistill.core.distributed import ranks_of
    from ovdistill.extraction import extract as extraction
    from ovdistill.models.config import load_config
    from ovdistill.teacher import build_teacher

    ranks = ranks_of(options.launcher)
    config = load_config(options.config, options.overrides) if options.config else None
    device = inputs.choose_rank_device(options.device, ranks[2])
    settings = inputs.settings_of(options, config, device, ranks)
    out = inputs.output_folder(options, config)
    if config is not None and not options.annotations and config.get("vocabulary"):
        prepare_vocabulary(config, ranks[0])
    files = inputs.find_files(options, config)
    source = inputs.find_proposals(options, config, settings, device)
    teacher = build_teacher(inputs.with_crops(options, teacher_arguments(options)), device)
    if settings.rank == 0:
        if teacher.random:
            print(RANDOM_NOTE)
        estimate(files, teacher, settings, out)
    if options.dry_run:
        dry_run(files, source, teacher, settings)
        return
    print_result(extraction.extract(files, source, teacher, out, settings), out, settings.rank)


def check_choices(options: ExtractOptions) -> None:
    """Raise UserError for missing inputs and impossible values."""
    check_positive(options, "per_image", "batch_size", "shard_images")
    own = options.images and options.annotations and options.proposals and options.out
    if not options.config and not own:
        raise UserError("without --config give --images, --annotations, --proposals and -o")
    options.check_teacher()
    check_file(options.annotations, "--annotations")
    if options.annotations and not (options.images and Path(options.images).is_dir()):
        raise UserError(f"got --images {options.images} with --annotations; expected their folder")
    named = options.proposals
    if named and named not in ("gt", "grid", "random") and not Path(named).is_file():
        raise UserError(f"got --proposals {named}; expected a file, 'gt', 'grid' or 'random'")
    check_file(options.vocabulary, "--vocabulary")
    if options.network:
        find_recipe(options.network)


def prepare_vocabulary(config: Config, rank: int) -> None:
    """Make the vocabulary, which the data set of the config needs; other ranks wait for it."""
    from ovdistill.core.distributed import wait_for_file
    from ovdistill.extraction.prepare import prepare_data_and_vocabulary

    if rank == 0:
        prepare_data_and_vocabulary(config)
    else:
        wait_for_file(Path(config.vocabulary), SECONDS_FOR_VOCABULARY)


def print_result(meta: StoreMeta, out: Path, rank: int) -> None:
    """Print what is in the store, or that other processes have not finished it yet."""
    if not meta.counts:
        print(
            f"process {rank}: its share of {out} is done; others are not (run again if they died)"
        )
        return
    print(f"{out} is complete: {meta.summary}")
    if meta.counts["skipped"]:
        print(f"what was skipped, and why: {out / 'skipped.json'}")
