"""Makes what a config needs before training: data, vocabulary, proposals, captions, regions.

The steps are listed in a config's ``prepare``. Each step keeps a result that is there already. A
missing one it makes, or it raises an error that names the command to make it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from ovdistill.core.distributed import get_world_size, is_main_process, patient_group
from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.core.vocabulary_header import read_header
from ovdistill.extraction import stale
from ovdistill.extraction.config_inputs import proposal_network
from ovdistill.extraction.needed import check_needed
from ovdistill.extraction.prepare_captions import caption_differences, prepare_captions
from ovdistill.extraction.prepare_proposals import check_one_trains, prepare_proposals
from ovdistill.extraction.prepare_regions import prepare_regions, region_differences
from ovdistill.extraction.prepare_vocabulary import prepare_vocabulary, vocabulary_differences
from ovdistill.extraction.proposal_origin import note_base, proposal_differences
from ovdistill.extraction.steps import check_steps, run_step
from ovdistill.ovshapes.generate import DONE, make_ovshapes
from ovdistill.store import CaptionStore, TeacherStore
from ovdistill.store.meta import read_meta
from ovdistill.training.component_check import check_components
from ovdistill.training.number_check import check_numbers


def prepare(config: Config, *, for_training: bool = True) -> None:
    """Run the steps of ``config.prepare`` in order. Every process of a job must call it.

    Args:
        config: from ``load_config``.
        for_training: include the steps that only training needs.

    Raises:
        UserError: components that cannot be made, something is missing that only the user can
            provide, or what is there was made from other inputs.
    """
    check_config(config, for_training=for_training)
    if for_training:
        check_one_trains(config, get_world_size())
    group = patient_group()
    if is_main_process():
        check_needed(config, for_training=for_training)
        run_step(config, "data", prepare_data)
        check_prepared(config, for_training=for_training)
        run_step(config, "vocabulary", prepare_vocabulary)
        if for_training:
            run_step(config, "proposals", prepare_proposals)
            run_step(config, "captions", prepare_captions)
    _wait(group)
    if for_training:
        run_step(config, "regions", prepare_regions)
        check_teachers(config)
        if is_main_process() and (step := config.get("prepare", {}).get("regions")):
            TeacherStore(step.path)  # compares checksums, for which NCCL would not wait later
        _wait(group)


def _wait(group: torch.distributed.ProcessGroup | None) -> None:
    """Wait for the other processes of a ``patient_group``."""
    if group is not None:
        torch.distributed.barrier(group)


def check_config(config: Config, *, for_training: bool = True) -> None:
    """Raise UserError for slips in a config that would be noticed hours later.

    Args:
        config: from ``load_config``.
        for_training: look at the proposal network too.
    """
    steps: dict[str, Callable[..., None]] = {
        "data": prepare_data,
        "vocabulary": prepare_vocabulary,
        "proposals": prepare_proposals,
        "captions": prepare_captions,
        "regions": prepare_regions,
    }
    check_steps(config, steps)
    check_components(config)
    if for_training:
        check_numbers(config)
        if config.get("prepare", {}).get("proposals"):
            check_components(proposal_network(config))


def prepare_data_and_vocabulary(config: Config) -> None:
    """Run the steps that all others need: data, which may be drawn, and vocabulary."""
    run_step(config, "data", prepare_data)
    run_step(config, "vocabulary", prepare_vocabulary)


def check_prepared(config: Config, *, for_training: bool = True) -> None:
    """Raise UserError for all that is there already but was made from other inputs.

    Every step looks at its own result too; here the errors come together, before hours are spent.

    Args:
        config: from ``load_config``.
        for_training: look at what only training needs, too.
    """
    steps = config.get("prepare", {})
    found: dict[str, list[str]] = {}
    if lines := run_step(config, "vocabulary", vocabulary_differences):
        found[config.vocabulary] = lines
        note_base(config, read_header(config.vocabulary))
    if for_training:
        if lines := run_step(config, "proposals", proposal_differences):
            found[steps.proposals.checkpoint] = lines
        if lines := run_step(config, "captions", caption_differences):
            found[steps.captions.path] = lines
        if lines := run_step(config, "regions", region_differences):
            found[steps.regions.path] = lines
    stale.refuse(found)


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


def prepare_data(
    config: Config, type: str, root: str, drawn: Mapping[str, Any] | None = None
) -> None:
    """Draw the embedded benchmark, unless it is there already.

    Args:
        config: not used; every step takes it.
        type: 'shapes', the only data set that can be drawn.
        root: the folder of the data set.
        drawn: the arguments of ``make_ovshapes`` that it must have been drawn with, such as
            ``seed`` and ``val``; None: the defaults, or what is there, with any number of images.

    Raises:
        UserError: another type, or a folder with other contents.
    """
    if type != "shapes":
        raise UserError(f"got prepare.data.type={type!r}; expected 'shapes'.")
    if drawn or not Path(root, DONE).is_file():
        make_ovshapes(root, **(drawn or {}))
