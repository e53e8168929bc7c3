"""Tell whether a proposal network was trained on something else than a config names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.config import Config

from ovdistill.core.assets import shipped_proposals
from ovdistill.core.class_names import clean_name
from ovdistill.core.vocabulary_header import VocabularyHeader, read_header
from ovdistill.extraction import stale
from ovdistill.extraction.config_inputs import proposal_network, training_annotations
from ovdistill.extraction.network_size import limit_of
from ovdistill.extraction.proposal_note import read_note, write_note


def training_origin(config: Config, network: Config) -> dict[str, Any]:
    """Return what the training of a proposal network depends on, as plain JSON values.

    Args:
        config: the config whose vocabulary says which classes are base.
        network: the network's own config.
    """
    within = limit_of(network)
    return {
        "base": _base(read_header(_vocabulary(config, network))),
        "annotations": stale.digest(training_annotations(network)),
        "model": stale.digest(stale.without_initial_weights(network.to_dict()["model"])),
        "enlarge_within": within and list(within),
        "length": [network.train_cfg.get(key) for key in ("max_iters", "max_epochs")],
    }


def proposal_differences(
    config: Config,
    checkpoint: str,
    network: str,
    published: str | None = None,
    *,
    train: bool = False,
    options: dict[str, Any] | None = None,
) -> list[str]:
    """Describe how a checkpoint differs from what ``prepare_proposals`` would make.

    Args:
        config: see ``prepare_proposals``, also for the other arguments.
        checkpoint: the weights; nothing is compared if they are not there or have no note.
        network: config of the network.
        published: name of weights that ship with the package.
        train: the config trains the network where no weights ship.
        options: overrides of the network's config.

    Raises:
        UserError: the note is damaged.
    """
    there = read_note(checkpoint)
    if there is None:
        return []
    ships = published is not None and shipped_proposals(published).is_file()
    if "published" in there or ships:
        weights = {"weights": there.get("published", "trained here")}
        return stale.differences(weights, {"weights": published if ships else "trained here"})
    own = proposal_network(config)
    if not Path(_vocabulary(config, own)).is_file():
        return []  # it is made first, and then this is asked again
    now = training_origin(config, own)
    return _base_differences(there["base"], now.pop("base")) + stale.differences(there, now)


def note_base(config: Config, header: VocabularyHeader) -> None:
    """Note the base classes for a checkpoint without a note, before its vocabulary is given up.

    Args:
        config: it may have a step ``prepare.proposals``.
        header: of the vocabulary with which the checkpoint was prepared.
    """
    step = config.get("prepare", {}).get("proposals") or {}
    checkpoint = Path(step.get("checkpoint") or "")
    beside = checkpoint.parent in Path(config.vocabulary).parents  # else it is a user's own
    if beside and checkpoint.is_file() and read_note(checkpoint) is None:
        write_note(checkpoint, {"base": _base(header)})


def _vocabulary(config: Config, network: Config) -> str:
    return network.get("vocabulary") or config.vocabulary


def _base(header: VocabularyHeader) -> list[str]:
    names = zip(header.names, header.is_base, strict=True)
    return sorted(clean_name(name) for name, is_base in names if is_base)


def _base_differences(there: list[str], now: list[str]) -> list[str]:
    kinds = {
        "trained on boxes of classes that are not base now": {*there} - {*now},
        "not trained on base classes": {*now} - {*there},
    }
    return [f"{kind}: {stale.some(found)}" for kind, found in kinds.items() if found]
