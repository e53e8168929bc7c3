"""The inputs of `ovdistill extract`: from its options, else from the config."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ovdistill.core.devices import choose_device
from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations import read_annotations
from ovdistill.extraction import proposals as sources
from ovdistill.extraction.config_inputs import (
    network_proposals,
    training_annotations,
    training_images,
)
from ovdistill.extraction.extract import ExtractionSettings
from ovdistill.extraction.images import ImageFile
from ovdistill.extraction.prepare import prepare_proposals
from ovdistill.extraction.steps import run_step
from ovdistill.models.config import load_config
from ovdistill.teacher.dense_regions import MODE
from ovdistill.teacher.region_policy import CROPS
from ovdistill.vocabulary import Vocabulary

if TYPE_CHECKING:
    from mmengine.config import Config

    from ovdistill.commands.extract.options import ExtractOptions


def choose_rank_device(name: str | None, local_rank: int) -> torch.device:
    """Return the device of a process.

    Args:
        name: as ``choose_device``; "cuda" is the GPU of this process.
        local_rank: its number on this machine.

    Raises:
        UserError: no such device.
    """
    device = choose_device(name)
    if device.type == "cuda" and device.index is None:
        return choose_device(f"cuda:{local_rank}")
    return device


def settings_of(
    options: ExtractOptions,
    config: Config | None,
    device: torch.device,
    ranks: tuple[int, int, int],
) -> ExtractionSettings:
    """Return how the store is filled, with the defaults of the config and the device.

    Args:
        options: of the command.
        config: None without ``--config``.
        device: of the teacher.
        ranks: rank, number of processes, and rank on this machine.
    """
    step = (config.get("prepare", {}).get("regions") or {}) if config is not None else {}
    on_cpu = device.type == "cpu"
    default_workers = 1 if on_cpu else 4
    return ExtractionSettings(
        per_image=options.per_image or step.get("per_image") or 300,
        min_size=options.min_size,
        images_per_shard=options.shard_images,
        batch_size=options.batch_size or (64 if on_cpu else 512),
        workers=default_workers if options.workers is None else options.workers,
        rank=ranks[0],
        world_size=ranks[1],
    )


def output_folder(options: ExtractOptions, config: Config | None) -> Path:
    """Return the folder of the store.

    Raises:
        UserError: neither the options nor the config name one.
    """
    found = options.out or (config.get("regions") if config is not None else None)
    if not found:
        raise UserError(f"{options.config} names no regions: give the folder to make with -o")
    return Path(found)


def find_files(options: ExtractOptions, config: Config | None) -> list[ImageFile]:
    """List the images that the options or the config name.

    Raises:
        UserError: see ``read_annotations`` and ``training_images``.
    """
    if not options.annotations:
        assert config is not None  # see check_choices
        return training_images(config)
    folder = Path(options.images or "")
    outside = options.allow_outside_images
    found = read_annotations(options.annotations, allow_outside_images=outside)
    return [
        ImageFile(image["id"], str(folder / image["file_name"]), (image["height"], image["width"]))
        for image in found.images
    ]


def find_proposals(
    options: ExtractOptions,
    config: Config | None,
    settings: ExtractionSettings,
    device: torch.device,
) -> sources.ProposalSource:
    """Return the source of the boxes.

    Args:
        options: of the command.
        config: None without ``--config``.
        settings: how the store is filled.
        device: of a proposal network.

    Raises:
        UserError: the source needs something that is not named.
    """
    named = options.proposals
    if named is None:
        assert config is not None  # see check_choices
        run_step(config, "proposals", prepare_proposals)
        return network_proposals(config, device)
    if named == "grid":
        return sources.GridProposals(settings.per_image)
    if named == "random":
        return sources.RandomProposals(settings.per_image)
    if named == "gt":
        return labelled_proposals(options, config)
    if named.endswith(".json"):
        return sources.FileProposals(named)
    if not options.network:
        raise UserError(f"--proposals {named} are weights: give --network, the config they fit")
    return sources.NetworkProposals(load_config(options.network), named, device)


def labelled_proposals(options: ExtractOptions, config: Config | None) -> sources.LabelledProposals:
    """Return the labelled boxes of base classes.

    Raises:
        UserError: neither the options nor the config name a vocabulary, or see
            ``Vocabulary.load``.
    """
    path = options.vocabulary or (config.get("vocabulary") if config is not None else None)
    if not path:
        raise UserError("--proposals gt needs --vocabulary: it says which classes are base")
    vocabulary = Vocabulary.load(path)
    base = [n for n, is_base in zip(vocabulary.names, vocabulary.is_base, strict=True) if is_base]
    annotations = options.annotations
    if annotations is None:
        assert config is not None  # see check_choices
        annotations = training_annotations(config)
    return sources.LabelledProposals(annotations, base)


def with_crops(options: ExtractOptions, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a teacher with the way to embed regions that the options name.

    Raises:
        UserError: options of crops together with one of a whole image.
    """
    given = dict(
        shape=options.crop_shape, scales=options.crop_scales or None, fuse=options.crop_fuse
    )
    chosen: dict[str, Any] = {k: value for k, value in given.items() if value is not None}
    own = dict(arguments.get("crops") or {})
    if options.dense_stage and not options.dense_size:
        raise UserError(f"got --dense-stage {options.dense_stage} without --dense-size PIXELS")
    if options.dense_size:
        if chosen:
            raise UserError(
                f"got --dense-size with --crop-{next(iter(chosen))}; expected one of the two: "
                "regions are crops, or come from one pass over the image"
            )
        chosen = dict(mode=MODE, size=options.dense_size, stage=options.dense_stage)
    elif chosen:
        chosen["mode"] = CROPS
    return dict(arguments, crops={**own, **chosen})
