"""Whatever a training starts from, looked for at its start: weights, annotations, embeddings.

Without this a user is told of one missing file after another, hours apart: the backbone's weights
are asked for when the regions have been extracted. Weights are downloaded here, where that is
allowed, so that a training which has begun needs no network.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from mmengine.config import Config, ConfigDict

from ovdistill.core.assets import shipped_proposals
from ovdistill.core.errors import UserError
from ovdistill.core.name_files import names_a_file
from ovdistill.core.recipes import recipe_folder
from ovdistill.extraction.config_inputs import (
    proposal_network,
    training_annotations,
    training_dataset,
)
from ovdistill.extraction.prepare_proposals import not_trained
from ovdistill.extraction.prepare_vocabulary import not_learned
from ovdistill.models.components import name_of
from ovdistill.store.meta import NAME, read_meta
from ovdistill.teacher import find_teacher_weights
from ovdistill.training.initial_weights import find_weights, weights_of_config

NETWORK_OPTIONS = "prepare.proposals.options."
Search = Callable[[], Path | None]  # returns what it finds; raises UserError for what is missing


@dataclass
class Inventory:
    """What was looked for.

    Attributes:
        found: files and folders that are here.
        missing: what is not, a message for each.
    """

    found: list[Path] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, searches: Iterable[Search]) -> Inventory:
        """Carry out all searches."""
        inventory = cls()
        for search in searches:
            try:
                path = search()
            except UserError as error:
                inventory.missing.append(str(error))
            else:
                inventory.found += [path] if path else []
        return inventory


def check_needed(config: Config, *, for_training: bool = True, student: bool = True) -> None:
    """Raise UserError for all that preparation and training need and cannot make, in one message.

    Args:
        config: from ``load_config``.
        for_training: look for what only training needs too.
        student: look for the weights that the detector itself starts from too.
    """
    files = Inventory.of(_files(config, for_training=for_training)).missing
    weights = Inventory.of(_weights(config, for_training=for_training, student=student)).missing
    refuse(config, files, weights)


def fetch_weights(config: Config) -> list[Path]:
    """Download all weights that a config starts from, and return where they are.

    Raises:
        UserError: some of them cannot be had; the others have been fetched.
    """
    inventory = Inventory.of([partial(find_teacher_weights, config.teacher), *_initial(config)])
    refuse(config, [], inventory.missing)
    return list(dict.fromkeys(inventory.found))


def refuse(config: Config, files: Sequence[str], weights: Sequence[str]) -> None:
    """Raise UserError if anything is missing.

    Args:
        config: which needs it.
        files: a message for each file that is missing.
        weights: a message for each part whose weights are missing.
    """
    parts = list(dict.fromkeys([*files, *weights]))
    if not parts:
        return
    listed = "".join("\n- " + part.replace("\n", "\n  ") for part in parts)
    one_command = (
        "\nOne command fetches the weights where there is a network: `ovdistill prepare "
        f"{_short_name(config)} --weights-only`. It prints their paths, to be copied to a machine "
        "without one (docs/install.md)."
    )
    raise UserError(
        f"{name_of(config)} needs what is missing here ({len(parts)}); nothing has begun:{listed}"
        + (one_command if weights else "")
    )


def _short_name(config: Config) -> str:
    """Return how a command line names a config: a recipe by its name, another one by its path."""
    path = Path(name_of(config))
    return path.stem if path.parent == recipe_folder() else str(path)


def _files(config: Config, *, for_training: bool) -> Iterator[Search]:
    """Yield a search for each file that the user has to provide or to make."""
    steps = config.get("prepare", {})
    vocabulary = _missing_result(steps.get("vocabulary"), "path")
    captions = _missing_result(steps.get("captions"), "path") if for_training else None
    if not steps.get("data"):  # else the annotations are drawn
        yield from _annotations(config, vocabulary, captions, for_training=for_training)
    if vocabulary and vocabulary.get("embeddings"):
        yield partial(_file, vocabulary.embeddings, "published embeddings of class names")
    elif vocabulary and vocabulary.get("learn_from"):
        yield partial(_fail, not_learned(config, vocabulary.path, vocabulary.learn_from))
    proposals = _missing_result(steps.get("proposals"), "checkpoint") if for_training else None
    if proposals and not _ships(proposals) and not proposals.get("train"):
        network = proposal_network(config)
        yield partial(_fail, not_trained(config, proposals.checkpoint, network))


def _weights(config: Config, *, for_training: bool, student: bool) -> Iterator[Search]:
    """Yield a search for the weights of each part that needs them, see ``check_needed``."""
    if _needs_teacher(config, for_training=for_training):
        yield partial(find_teacher_weights, config.teacher)
    if for_training:
        yield from _initial(config, student=student)


def _initial(config: Config, *, student: bool = True) -> Iterator[Search]:
    """Yield a search for the initial weights of the detector, and of a network trained for it."""
    step = config.get("prepare", {}).get("proposals")
    if student and config.get("train_cfg") is not None:
        for key, name in weights_of_config(config).items():
            if step is None or name != step.checkpoint:  # which is made first
                yield partial(find_weights, name, key)
    proposals = _missing_result(step, "checkpoint")
    if proposals and proposals.get("train") and not _ships(proposals):
        network = proposal_network(config)
        for key, name in weights_of_config(network, NETWORK_OPTIONS).items():
            yield partial(find_weights, name, key)


def _annotations(
    config: Config,
    vocabulary: ConfigDict | None,
    captions: ConfigDict | None,
    *,
    for_training: bool,
) -> Iterator[Search]:
    """Yield a search for each annotation file that is read, once."""
    files: dict[str, str] = {}
    listed = for_training and config.get("train_dataloader")
    if listed and training_dataset(config).get("ann_file"):  # else all images of a folder
        files[training_annotations(config)] = "annotations of the training images"
    if vocabulary and (names_a_file(vocabulary.names) or os.sep in vocabulary.names):
        files.setdefault(vocabulary.names, "class names")
    if captions:
        files[captions.annotations] = "captions of the training images"
    for path, what in files.items():
        yield partial(_file, path, what)


def _needs_teacher(config: Config, *, for_training: bool) -> bool:
    """Return whether the teacher has to embed anything for a step without a result."""
    steps = config.get("prepare", {})
    vocabulary = _missing_result(steps.get("vocabulary"), "path")
    if vocabulary and not (vocabulary.get("embeddings") or vocabulary.get("learn_from")):
        return True
    if not for_training:
        return False
    if _missing_result(steps.get("captions"), "path"):
        return True
    regions = steps.get("regions")
    if not regions or Path(regions.path).is_file():
        return False
    return not (Path(regions.path, NAME).is_file() and read_meta(Path(regions.path)).counts)


def _missing_result(step: ConfigDict | None, key: str) -> ConfigDict | None:
    """Return a step of ``prepare`` whose result, a file, is not there yet."""
    return step if step and not Path(step[key]).is_file() else None


def _ships(proposals: ConfigDict) -> bool:
    published = proposals.get("published")
    return bool(published) and shipped_proposals(published).is_file()


def _file(path: str, what: str) -> Path:
    if not Path(path).is_file():
        raise UserError(
            f"{what}: no file {path}. Name its folder with --cfg-options data_root=DIR; `ovdistill "
            "doctor` says where to get the data of LVIS and COCO"
        )
    return Path(path)


def _fail(error: UserError) -> None:
    raise error
