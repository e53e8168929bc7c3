"""Makes what a config needs before training: data, vocabulary, proposals, captions, regions.

The steps are listed in a config's ``prepare``. Each step keeps a result that is there already. A
missing one it makes, or it raises an error that names the command to make it.
"""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from mmengine.config import Config

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
from ovdistill.extraction.extract import ExtractionSettings, extract
from ovdistill.extraction.prepare_proposals import prepare_proposals
from ovdistill.ovshapes.generate import DONE, make_ovshapes
from ovdistill.store import CaptionStore
from ovdistill.store.meta import NAME, read_meta
from ovdistill.teacher import build_teacher, teacher_name

LOGGER = logging.getLogger(__name__)


def prepare(config: Config, *, for_training: bool = True) -> None:
    """Run the steps of ``config.prepare`` in order. Every process of a job must call it.

    Args:
        config: from ``load_config``.
        for_training: include the steps that only training needs.

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
    """Run the steps that all others need: data, which may be drawn, and vocabulary."""
    run_step(config, "data", prepare_data)
    run_step(config, "vocabulary", prepare_vocabulary)


def run_step(config: Config, name: str, step: Callable[..., None]) -> None:
    """Run a step with its options in ``config.prepare``; do nothing if it has none.

    Args:
        config: the config.
        name: key of the step in ``config.prepare``.
        step: called with the config and the options as keyword arguments.

    Raises:
        UserError: unknown or missing options, or an error of the step.
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
    """Raise UserError unless vocabulary, regions and captions were made by the same teacher."""
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
                    f"{first} was made by teacher {other}, {path} by teacher {teacher}; a training "
                    "needs one teacher. Delete the file that is not of the config's teacher, and "
                    "prepare again."
                )


def prepare_data(config: Config, type: str, root: str) -> None:
    """Draw the embedded benchmark, unless it is there already (with any number of images).

    Args:
        config: not used; every step takes it.
        type: 'shapes', the only data set that can be drawn.
        root: the folder of the data set.

    Raises:
        UserError: another type, or a folder with other contents.
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
    *,
    tokens: bool = False,
    synonyms: bool = False,
) -> None:
    """Make the vocabulary: encode its class names, or take embeddings that were published.

    Args:
        config: its ``teacher`` encodes the class names.
        path: the vocabulary file to write.
        names: source of the class names: an annotation file, a text file, "a, b, c", or one of the
            other sources of ``datasets.category_names.find_names``.
        split: which classes are novel, see ``datasets.build_vocabulary.select_names``.
        templates: prompts: 'single', 'vild63', or a file of templates or of learned prompts.
        embeddings: a .npy file with embeddings in the order of the class names, which are used
            instead of the teacher's.
        tokens: encode the tokens of the class names too.
        synonyms: average over the synonyms of each class name.

    Raises:
        UserError: ``tokens`` or ``synonyms`` together with ``embeddings``; a file at ``path`` that
            was made by another teacher; names, split or embeddings that cannot be used.
    """
    if (tokens or synonyms) and embeddings:
        raise UserError(
            "tokens and synonyms need the teacher: remove prepare.vocabulary.embeddings"
        )
    own = teacher_name(config.teacher)
    if Path(path).is_file():
        _check_vocabulary(path, own)
        return
    if embeddings:
        own = own or build_teacher(config.teacher).name
        vocabulary = import_embeddings(embeddings, names, own, split)
    else:
        vocabulary = encode_names(
            names,
            lambda: build_teacher(config.teacher),
            templates,
            split,
            synonyms=synonyms,
            tokens=tokens,
        )
    vocabulary.save(path)
    LOGGER.info(
        "vocabulary: wrote %s (%d classes, teacher %s)", path, len(vocabulary), vocabulary.teacher
    )


def _check_vocabulary(path: str, teacher: str | None) -> None:
    """Raise UserError if a vocabulary file was made by another teacher, where that is known."""
    header = read_header(path)
    if teacher is not None and header.teacher.name != teacher:
        raise UserError(
            f"{path} was made by teacher {header.teacher}; the teacher of this config is "
            f"{teacher}. Delete the file to make it again, or name another one with "
            "--cfg-options vocabulary=PATH, or another teacher with --cfg-options teacher.model=..."
        )
    LOGGER.info("vocabulary: %s (%d classes, teacher %s)", path, len(header), header.teacher.name)


def prepare_regions(config: Config, path: str, per_image: int) -> None:
    """Extract the teacher's regions of the training images. All processes share the work.

    Args:
        config: the network of its ``prepare.proposals`` proposes the boxes, its ``teacher`` embeds
            them.
        path: the store to make, or to finish.
        per_image: the largest number of regions of an image.

    Raises:
        UserError: see ``extract``.
    """
    folder = Path(path)
    if folder.is_file() or (folder / NAME).is_file():
        meta = read_meta(folder)
        if meta.counts:
            if is_main_process():
                LOGGER.info("regions: %s (%s)", path, meta.summary)
            return
    device = choose_device()  # with GPUs, the one that was set for this process
    extract(
        training_images(config),
        network_proposals(config, device),
        build_teacher(config.teacher, device),
        folder,
        ExtractionSettings(per_image=per_image, rank=get_rank(), world_size=get_world_size()),
    )
    # not a barrier, which would time out if another process needs much longer
    while not read_meta(folder).counts:
        time.sleep(1)


def prepare_captions(config: Config, path: str, annotations: str) -> None:
    """Embed the captions of the training images and their noun phrases with the teacher.

    Args:
        config: its ``teacher`` embeds the texts.
        path: the store of captions to write.
        annotations: the captions in COCO's format, such as captions_train2017.json.

    Raises:
        UserError: see ``extract_captions``.
    """
    if Path(path).is_file():
        LOGGER.info("captions: %s (%d images)", path, len(CaptionStore(path)))
        return
    extract_captions(config, annotations, path)
