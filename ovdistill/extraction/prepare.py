"""Makes what a config needs before training: data, vocabulary, proposals, captions, regions.

Each step leaves a finished result alone, and either makes a missing one or says which command
does. The steps stand in a config's ``prepare``.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.logging import print_log

from ovdistill.core.devices import choose_device
from ovdistill.core.distributed import (
    get_rank,
    get_world_size,
    is_main_process,
    patient_group,
)
from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.core.vocabulary_header import read_header
from ovdistill.datasets.build_vocabulary import encode_names, import_embeddings
from ovdistill.extraction.captions import extract_captions
from ovdistill.extraction.config_inputs import network_proposals, training_images
from ovdistill.extraction.extract import ExtractOptions, extract
from ovdistill.extraction.prepare_proposals import prepare_proposals
from ovdistill.ovshapes.generate import DONE, make_ovshapes
from ovdistill.store import CaptionStore
from ovdistill.store.meta import NAME, read_meta
from ovdistill.teacher import build_teacher, teacher_name


def prepare(config: Config, for_training: bool = True) -> None:
    """Run the steps of ``config.prepare`` in order; every process calls it.

    Args:
        config: from ``load_config``.
        for_training: with the steps that only training needs.

    Raises:
        UserError: something is missing that only the user can provide.
    """
    group = patient_group()
    if is_main_process():
        prepare_data_and_vocabulary(config)
        if for_training:
            run_step(config, "proposals", prepare_proposals)
            run_step(config, "captions", prepare_captions)
    if group is not None:
        torch.distributed.barrier(group)
    if for_training:
        run_step(config, "regions", prepare_regions)
        check_teachers(config)


def prepare_data_and_vocabulary(config: Config) -> None:
    """Run the steps that everything else needs: data that can be drawn, and the vocabulary."""
    run_step(config, "data", prepare_data)
    run_step(config, "vocabulary", prepare_vocabulary)


def run_step(config: Config, name: str, step: Callable[..., None]) -> None:
    """Run a step with the options that ``config.prepare`` has for it, if any.

    Raises:
        UserError: options that the step does not take, or lacks.
    """
    options = config.get("prepare", {}).get(name)
    if not options:
        return
    try:
        inspect.signature(step).bind(config, **options)
    except TypeError as error:
        raise UserError(
            f"prepare.{name} of the config: {error}; expected the arguments of "
            f"{step.__module__}.{step.__name__}, got: {', '.join(options)}"
        ) from error
    step(config, **options)


def check_teachers(config: Config) -> None:
    """Raise UserError unless vocabulary, regions and captions of a training are of one teacher."""
    steps = config.get("prepare", {})
    found: dict[str, TeacherId] = {}
    if "vocabulary" in steps:
        found[config.vocabulary] = read_header(config.vocabulary).teacher
    if steps.get("regions"):
        found[steps.regions.path] = read_meta(Path(steps.regions.path)).teacher
    if steps.get("captions"):
        found[steps.captions.path] = CaptionStore(steps.captions.path).teacher
    for path, teacher in found.items():
        for first, other in found.items():
            if not teacher.is_same(other):
                raise UserError(
                    f"{first} is of teacher {other}, {path} of teacher {teacher}; a training needs "
                    "one teacher. Delete the one that is not the config's, and prepare again."
                )


def prepare_data(config: Config, type: str, root: str) -> None:
    """Draw the embedded benchmark; one that is there is used as it is, whatever its size.

    Args:
        config: not used; every step takes it.
        type: 'shapes'.
        root: the folder for it.
    """
    if type != "shapes":
        raise UserError(f"got prepare.data.type={type!r}; expected 'shapes'.")
    if not Path(root, DONE).is_file():
        make_ovshapes(root)


def prepare_vocabulary(
    config: Config,
    path: str,
    names: str,
    split: str | Sequence[str],
    templates: str = "single",
    embeddings: str | None = None,
    tokens: bool = False,
    synonyms: bool = False,
) -> None:
    """Encodes the words with the config's teacher, or takes embeddings that were published.

    Args:
        config: its ``teacher`` encodes the words.
        path: the vocabulary file to write.
        names: where the names stand: an annotation file, a text file, "a, b, c", or see
            ``vocabulary.named``.
        split: how base and novel are told apart, see ``vocabulary.make.choose_words``.
        templates: prompts, 'single', 'vild63', or a file of templates or of learned prompts.
        embeddings: an .npy file in the order of the names, in place of the teacher.
        tokens: embed the names' tokens too.
        synonyms: average over the synonyms of each name.

    Raises:
        UserError: tokens or synonyms of embeddings from a file are asked for; the file is there
            and of another teacher.
    """
    if (tokens or synonyms) and embeddings:
        raise UserError(
            "tokens and synonyms need the teacher: take prepare.vocabulary.embeddings away."
        )
    own = teacher_name(config.teacher)
    if Path(path).is_file():
        header = read_header(path)
        if own is not None and header.teacher.name != own:
            raise UserError(
                f"{path} has words of teacher {header.teacher}; the teacher of this config is "
                f"{own}. Take the file away, so that it is made again, or name another with "
                "--cfg-options vocabulary=PATH, or the teacher with --cfg-options teacher.model=..."
            )
        print_log(f"words: {path} ({len(header)} of {header.teacher.name})", "current")
        return
    if embeddings:
        own = own or build_teacher(config.teacher).name
        vocabulary = import_embeddings(embeddings, names, own, split)
    else:
        vocabulary = encode_names(
            names, lambda: build_teacher(config.teacher), templates, split, synonyms, tokens
        )
    vocabulary.save(path)
    print_log(f"words: wrote {path} ({len(vocabulary)} of {vocabulary.teacher})", "current")


def prepare_regions(config: Config, path: str, per_image: int) -> None:
    """Extract the teacher's regions of the training images; all processes share the work.

    Args:
        config: its ``prepare.proposals`` proposes, its ``teacher`` embeds.
        path: the store to make, or to finish.
        per_image: regions to keep for each image.
    """
    folder = Path(path)
    if folder.is_file() or (folder / NAME).is_file():
        counts = read_meta(folder).counts
        if counts:
            print_log(f"regions: {path} ({counts['images']} images)", "current")
            return
    device = choose_device()  # on a GPU the one that was set for this process
    extract(
        training_images(config),
        network_proposals(config, device),
        build_teacher(config.teacher, device),
        folder,
        ExtractOptions(per_image=per_image, rank=get_rank(), world_size=get_world_size()),
    )
    while not read_meta(folder).counts:  # a barrier would time out where shares take hours
        time.sleep(1)


def prepare_captions(config: Config, path: str, annotations: str) -> None:
    """Embed the captions of the training images, and their noun phrases, with the teacher.

    Args:
        config: its ``teacher`` embeds.
        path: the store to write.
        annotations: a file in COCO's format, such as captions_train2017.json.
    """
    if Path(path).is_file():
        print_log(f"captions: {path} ({len(CaptionStore(path))} images)", "current")
        return
    extract_captions(config, annotations, path)
