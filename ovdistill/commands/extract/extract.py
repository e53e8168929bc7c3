r"""Make a store of the teacher's region embeddings.

    ovdistill extract --config vild_r50_lvis                           # all from the config
    ovdistill extract --images train2017 --annotations instances.json \
        --teacher ViT-B-32-quickgelu:openai --proposals boxes.json -o regions
    torchrun --nproc_per_node 8 -m ovdistill extract --config CONFIG --launcher pytorch

After an interruption, the same command continues where it was.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ovdistill.commands.checks import check_file
from ovdistill.commands.extract.options import ExtractOptions
from ovdistill.commands.teacher_options import teacher_arguments
from ovdistill.core.errors import UserError
from ovdistill.core.recipes import find_recipe

if TYPE_CHECKING:
    from mmengine.config import Config

    from ovdistill.store.meta import StoreMeta

RANDOM_NOTE = "RANDOM TEACHER WEIGHTS: THE EMBEDDINGS MEAN NOTHING, THE STORE IS A TEST OF THE CODE"
SECONDS_FOR_VOCABULARY = 3600  # process 0 embeds it; LVIS's takes long with 63 templates


def extract(options: ExtractOptions) -> None:
    """Make the store, or finish one that was begun.

    Raises:
        UserError: an input that is not named, missing or does not fit, or a disk that is too small.
    """
    check_choices(options)
    from ovdistill.commands.extract import inputs
    from ovdistill.commands.extract.estimate import dry_run, estimate
    from ovdistill.core.distributed import ranks_of
    from ovdistill.extraction import extract as extraction
    from ovdistill.extraction.config_inputs import training_source
    from ovdistill.extraction.needed import check_needed
    from ovdistill.extraction.prepare import check_config
    from ovdistill.extraction.prepare_proposals import check_one_trains
    from ovdistill.extraction.teacher_origin import teacher_origin
    from ovdistill.models.config import load_config
    from ovdistill.teacher import build_teacher

    ranks = ranks_of(options.launcher)
    if options.dry_run and ranks[0]:
        return  # the first process tries a few images for all
    config = load_config(options.config, options.overrides) if options.config else None
    if config is not None:
        check_config(config)
        if not options.proposals:
            check_one_trains(config, ranks[1])
        if not (options.annotations or options.proposals or options.names_a_teacher):
            check_needed(config, student=False)
    device = inputs.choose_rank_device(options.device, ranks[2])
    settings = inputs.settings_of(options, config, device, ranks)
    out = inputs.output_folder(options, config)
    if config is not None and not options.annotations and config.get("vocabulary"):
        prepare_vocabulary(config, ranks[0])
    files = inputs.find_files(options, config)
    source = inputs.find_proposals(options, config, settings, device)
    source.check(files)
    arguments = inputs.with_crops(options, teacher_arguments(options))
    teacher = build_teacher(arguments, device)
    if settings.rank == 0:
        if teacher.random:
            print(RANDOM_NOTE)
        estimate(files, teacher, settings, out)
    if options.dry_run:
        dry_run(files, source, teacher, settings)
        return
    origin = teacher_origin(arguments)
    if config and not options.annotations:
        origin |= training_source(config)
    meta = extraction.extract(files, source, teacher, out, settings, origin)
    print_result(meta, out, settings.rank)


def check_choices(options: ExtractOptions) -> None:
    """Raise UserError for missing inputs and impossible values."""
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
    check_effect(options)


def check_effect(options: ExtractOptions) -> None:
    """Raise UserError for options that would change nothing."""
    named = options.proposals or ""
    is_network = named not in ("", "gt", "grid", "random") and not named.endswith(".json")
    listed = bool(options.annotations)
    for flag, is_given, has_effect, needed in (
        ("--images", options.images, listed, "--annotations FILE, which lists them"),
        ("--allow-outside-images", options.allow_outside_images, listed, "--annotations FILE"),
        ("--vocabulary", options.vocabulary, named == "gt", "--proposals gt"),
        ("--network", options.network, is_network, "--proposals WEIGHTS"),
    ):
        if is_given and not has_effect:
            raise UserError(f"got {flag}, which has no effect without {needed}")


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
