"""The preparation step that provides the proposal network: takes shipped weights, or trains."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ovdistill.core.assets import shipped_proposals
from ovdistill.core.checkpoints import last_checkpoint, read_weights, write_checkpoint
from ovdistill.core.errors import UserError
from ovdistill.core.files import atomic_file, write_json
from ovdistill.core.json_files import read_json
from ovdistill.extraction import stale
from ovdistill.extraction.config_inputs import is_to_be_trained, proposal_network
from ovdistill.extraction.proposal_note import write_note
from ovdistill.extraction.proposal_origin import proposal_differences, training_origin
from ovdistill.training.learning_rate import processes_of_rate
from ovdistill.training.randomness import randomness_of
from ovdistill.training.run import AUTO, alone_in, resume_from, run_training

LOGGER = logging.getLogger(__name__)
BEGUN = "origin.json"  # in the folder of a training: what it is trained from


def prepare_proposals(
    config: Config,
    checkpoint: str,
    network: str,
    published: str | None = None,
    *,
    train: bool = False,
    options: dict[str, Any] | None = None,
) -> None:
    """Make the network that proposes distillation regions, trained on base boxes only.

    Args:
        config: the network is trained on the data and split of this config.
        checkpoint: the weights to write; nothing is done if they are there already.
        network: config of the network, relative to the main config.
        published: name of weights that ship with the package, which are taken if there are such.
        train: train the network if no weights ship; otherwise raise an error that says how to.
        options: overrides of the network's config, for training and for proposing.

    Raises:
        UserError: there are no weights and ``train`` is False, the initial weights of the
            training cannot be downloaded, or weights that are there were made from other inputs.
    """
    if Path(checkpoint).is_file():
        found = proposal_differences(
            config, checkpoint, network, published, train=train, options=options
        )
        stale.refuse({checkpoint: found})
        LOGGER.info("proposals: %s", checkpoint)
        return
    shipped = shipped_proposals(published) if published else None
    if shipped is not None and shipped.is_file():
        weights = {name: value.float() for name, value in read_weights(shipped).items()}
        with atomic_file(checkpoint) as temporary:
            write_checkpoint(temporary, dict(state_dict=weights))
            write_note(checkpoint, {"published": published}, temporary)
        LOGGER.info("proposals: wrote %s (as shipped: %s)", checkpoint, shipped.name)
        return
    network_config = proposal_network(config)
    if not train:
        raise not_trained(config, checkpoint, network_config)
    origin = training_origin(config, network_config)
    network_config.work_dir = str(Path(checkpoint).with_suffix(""))
    network_config.randomness = randomness_of(config)
    network_config.launcher = "none"
    network_config.max_bad_images = config.get("max_bad_images", 0)
    LOGGER.info("proposals: training the network on base boxes")
    with alone_in(network_config.work_dir):
        _begin_or_resume(network_config, origin)
        run_training(network_config, "prepare.proposals.options.")
    with atomic_file(checkpoint) as temporary:
        shutil.copyfile(last_checkpoint(network_config.work_dir), temporary)
        write_note(checkpoint, origin, temporary)
    # whoever deletes the checkpoint wants another training, not the end of this one
    Path(network_config.work_dir, BEGUN).unlink(missing_ok=True)
    LOGGER.info("proposals: wrote %s", checkpoint)


def _begin_or_resume(network: Config, origin: Mapping[str, Any]) -> None:
    """Let a training that was cut off go on; give up the checkpoints of one on other inputs.

    Args:
        network: the network's config, with ``work_dir`` and ``randomness``; to be changed.
        origin: see ``training_origin``.
    """
    folder = Path(network.work_dir)
    begun, newest = folder / BEGUN, folder / "last_checkpoint"
    now = {**origin, "seed": network.randomness.get("seed")}
    if begun.is_file() and newest.is_file() and last_checkpoint(folder).is_file():
        hint = f"Delete {folder} to train the network anew."
        if read_json(begun, "note on the training of a proposal network", hint=hint) == now:
            resume_from(network, AUTO)
            LOGGER.info("proposals: going on from %s", network.load_from)
            return
    newest.unlink(missing_ok=True)
    if begun.is_file():  # else the checkpoints are not of a training that began here
        for path in (*folder.glob("iter_*.pth"), *folder.glob("epoch_*.pth")):
            path.unlink()
    write_json(begun, now)


def check_one_trains(config: Config, processes: int) -> None:
    """Raise UserError if several processes would have to train the proposal network of a config.

    In a process group mmengine would give each process a share of the images, and wait for others;
    without one, every process would train.

    Args:
        config: from ``load_config``.
        processes: how many there are.
    """
    if processes > 1 and is_to_be_trained(config):
        root = f"data_root={config.data_root} " if config.get("data_root") else ""
        raise UserError(
            f"{processes} processes, and no proposal network {config.prepare.proposals.checkpoint} "
            "yet, which one process trains. Start that alone first, then all of them:\n"
            f"  ovdistill prepare {config.filename} --cfg-options {root}prepare.regions=None"
        )


def not_trained(config: Config, checkpoint: str, network: Config) -> UserError:
    """Return the error for a proposal network that the user has to train first.

    Args:
        config: the config that needs it.
        checkpoint: its weights.
        network: its own config.
    """
    start, launcher, fewer = "ovdistill", "", ""
    if (count := processes_of_rate(network)) > 1:
        start, launcher = f"torchrun --nproc_per_node {count} -m ovdistill", "--launcher pytorch "
        fewer = f" ({count} GPUs; with fewer, add --auto-scale-lr)"
    return UserError(
        f"no proposal network {checkpoint}. Train it on base boxes first{fewer}:\n"
        f"  {start} train {network.filename} {launcher}--cfg-options data_root={config.data_root}\n"
        f"then name its checkpoint: --cfg-options proposals=PATH"
    )
