"""Makes what a config needs before training: data, vocabulary, distillation regions.

Each step leaves a finished result alone, and either makes a missing one or says which command
does. The steps stand in a config's ``prepare``.
"""

from __future__ import annotations

import inspect
import logging
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
from mmengine import dist
from mmengine.config import Config
from mmengine.logging import print_log

from ovdistill.build import last_checkpoint, read_weights
from ovdistill.errors import UserError
from ovdistill.headers import TeacherId, read_header
from ovdistill.processes import patient_group
from ovdistill.shapes import WEIGHTS_DIR
from ovdistill.shapes.generate import make_shapes
from ovdistill.teacher import build_teacher, teacher_id
from ovdistill.vocabulary.make import encode_words, import_words


def prepare(config: Config, for_training: bool = True) -> None:
    """Runs the steps of ``config.prepare`` in order; every process calls it.

    Args:
        config: from ``load_config``.
        for_training: with the steps that only training needs.

    Raises:
        UserError: something is missing that only the user can provide.
    """
    group = patient_group()
    if dist.is_main_process():
        prepare_words(config)
        if for_training:
            run_step(config, "proposals", prepare_proposals)
            run_step(config, "captions", prepare_captions)
    if group is not None:
        torch.distributed.barrier(group)
    if for_training:
        run_step(config, "regions", prepare_regions)
        check_teachers(config)


def prepare_words(config: Config) -> None:
    """The steps that everything else needs: data that can be drawn, and the vocabulary."""
    run_step(config, "data", prepare_data)
    run_step(config, "vocabulary", prepare_vocabulary)


def run_step(config: Config, name: str, step: Callable[..., None]) -> None:
    """Runs a step with the options that ``config.prepare`` has for it, if any.

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
            f"ovdistill.prepare.{step.__name__}, got: {', '.join(options)}"
        ) from error
    step(config, **options)


def check_teachers(config: Config) -> None:
    """Words, regions and captions of a training must be of one teacher.

    Raises:
        UserError: they are not; it names both.
    """
    from ovdistill.store import CaptionStore
    from ovdistill.store.meta import read_meta

    steps = config.get("prepare", {})
    found = {}
    if "vocabulary" in steps:
        found[config.vocabulary] = read_header(config.vocabulary).teacher
    if steps.get("regions"):
        found[steps.regions.path] = _teacher(read_meta(Path(steps.regions.path)).provenance)
    if steps.get("captions"):
        found[steps.captions.path] = _teacher(CaptionStore(steps.captions.path).header)
    for path, teacher in found.items():
        for first, other in found.items():
            if not teacher.is_same(other):
                raise UserError(
                    f"{first} is of teacher {other}, {path} of teacher {teacher}; a training needs "
                    "one teacher. Delete the one that is not the config's, and prepare again."
                )


def _teacher(header: Mapping[str, Any]) -> TeacherId:
    return TeacherId(header.get("teacher", ""), header.get("teacher_hash", ""))


def prepare_data(config: Config, type: str, root: str) -> None:
    """Draws the embedded benchmark; one that is there is used as it is, whatever its size.

    Args:
        config: says nothing more.
        type: 'shapes'.
        root: the folder for it.
    """
    if type != "shapes":
        raise UserError(f"got prepare.data.type={type!r}; expected 'shapes'.")
    if not Path(root, "shapes.json").is_file():
        make_shapes(root)


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
    own = teacher_id(config.teacher)
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
        own = own or build_teacher(config.teacher).id
        vocabulary = import_words(embeddings, names, own, split)
    else:
        vocabulary = encode_words(
            names, lambda: build_teacher(config.teacher), templates, split, synonyms, tokens
        )
    vocabulary.save(path)
    print_log(f"words: wrote {path} ({len(vocabulary)} of {vocabulary.teacher})", "current")


def prepare_proposals(
    config: Config,
    checkpoint: str,
    network: str,
    published: str | None = None,
    train: bool = False,
    options: dict | None = None,
) -> None:
    """The network that proposes distillation regions, which has seen base boxes only.

    Args:
        config: its data and split are the network's.
        checkpoint: the weights to have.
        network: config of the network, relative to the main config.
        published: where the checkpoint is missing, take the weights of this name that ship with the
            package; None, or a name that does not, for a training.
        train: where there are no weights, train the network; otherwise say how to.
        options: overrides of the network's config, in training and in proposing.

    Raises:
        UserError: there is no checkpoint and ``train`` is off, or the network's initial weights
            cannot be fetched.
    """
    from mmengine.runner import Runner

    from ovdistill.store.inputs import proposal_network

    if Path(checkpoint).is_file():
        print_log(f"proposals: {checkpoint}", "current")
        return
    shipped = WEIGHTS_DIR / f"{published}.safetensors"
    if published and shipped.is_file():
        weights = {name: value.float() for name, value in read_weights(shipped).items()}
        Path(checkpoint).parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(f"{checkpoint}.{os.getpid()}.tmp")  # processes of an extraction may meet
        torch.save(dict(state_dict=weights), temporary)
        temporary.replace(checkpoint)
        print_log(f"proposals: wrote {checkpoint} (as shipped: {shipped.name})", "current")
        return
    own = proposal_network(config)
    if not train:
        raise UserError(
            f"no proposal network {checkpoint}. Train it on base boxes first:\n"
            f"  python tools/train.py {own.filename} --cfg-options data_root={config.data_root}\n"
            f"then name its checkpoint: --cfg-options proposals=PATH"
        )
    print_log("proposals: training the network on base boxes", "current")
    own.work_dir = str(Path(checkpoint).with_suffix(""))
    own.randomness = config.get("randomness", dict(seed=0))
    own.launcher = "none"
    try:
        Runner.from_cfg(own).train()
    except URLError as error:
        key = "prepare.proposals.options.model.backbone.init_cfg"
        raise UserError(
            f"the initial weights of {network} cannot be fetched ({error.reason}). Name a local "
            f"file with --cfg-options {key}.checkpoint=PATH, or start from scratch with {key}=None."
        ) from None
    shutil.copyfile(last_checkpoint(own.work_dir), f"{checkpoint}.tmp")
    Path(f"{checkpoint}.tmp").replace(checkpoint)
    print_log(f"proposals: wrote {checkpoint}", "current", logging.INFO)


def prepare_regions(config: Config, path: str, per_image: int) -> None:
    """Regions of the training pictures with their teacher embeddings; all processes share the work.

    Args:
        config: its ``prepare.proposals`` proposes, its ``teacher`` embeds.
        path: the store to make, or to finish.
        per_image: regions to keep for each picture.
    """
    from ovdistill.arguments import default_device
    from ovdistill.store.extract import ExtractOptions, extract
    from ovdistill.store.inputs import network_proposals, training_pictures
    from ovdistill.store.meta import NAME, read_meta

    folder = Path(path)
    if folder.is_file() or (folder / NAME).is_file():
        counts = read_meta(folder).counts
        if counts:
            print_log(f"regions: {path} ({counts['pictures']} pictures)", "current")
            return
    device = default_device()  # the one that init_dist has chosen for this process
    extract(
        training_pictures(config),
        network_proposals(config, device),
        build_teacher(config.teacher, device),
        folder,
        ExtractOptions(per_image=per_image, rank=dist.get_rank(), world_size=dist.get_world_size()),
    )
    while not read_meta(folder).counts:  # a barrier would time out where shares take hours
        time.sleep(1)


def prepare_captions(config: Config, path: str, annotations: str) -> None:
    """Captions of the training pictures, and their noun phrases, in the teacher's words.

    Args:
        config: its ``teacher`` embeds.
        path: the store to write.
        annotations: a file in COCO's format, such as captions_train2017.json.
    """
    from ovdistill.store import CaptionStore
    from ovdistill.store.extract_captions import extract_captions

    if Path(path).is_file():
        print_log(f"captions: {path} ({len(CaptionStore(path))} pictures)", "current")
        return
    extract_captions(config, annotations, path)
