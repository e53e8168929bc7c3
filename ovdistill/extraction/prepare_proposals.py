"""The preparation step that provides the proposal network: takes shipped weights, or trains."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
from mmengine.config import Config
from mmengine.runner import Runner

from ovdistill.core.assets import shipped_proposals
from ovdistill.core.checkpoints import last_checkpoint, read_weights
from ovdistill.core.errors import UserError
from ovdistill.core.files import atomic_file
from ovdistill.datasets.bad_images import allow_bad_images
from ovdistill.extraction.config_inputs import proposal_network

LOGGER = logging.getLogger(__name__)


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
        UserError: there are no weights and ``train`` is False, or the initial weights of the
            training cannot be downloaded.
    """
    if Path(checkpoint).is_file():
        LOGGER.info("proposals: %s", checkpoint)
        return
    shipped = shipped_proposals(published) if published else None
    if shipped is not None and shipped.is_file():
        weights = {name: value.float() for name, value in read_weights(shipped).items()}
        with atomic_file(checkpoint) as temporary:  # several processes may do this at once
            with temporary.open("wb") as file:  # a path's name would become part of the content
                torch.save(dict(state_dict=weights), file)
        LOGGER.info("proposals: wrote %s (as shipped: %s)", checkpoint, shipped.name)
        return
    network_config = proposal_network(config)
    if not train:
        raise UserError(
            f"no proposal network {checkpoint}. Train it on base boxes first:\n"
            f"  ovdistill train {network_config.filename} "
            f"--cfg-options data_root={config.data_root}\n"
            f"then name its checkpoint: --cfg-options proposals=PATH"
        )
    network_config.work_dir = str(Path(checkpoint).with_suffix(""))
    network_config.randomness = config.get("randomness", dict(seed=0))
    network_config.launcher = "none"
    limit = config.get("max_bad_images", 0)
    allow_bad_images(network_config, network_config.work_dir, limit).path.unlink(missing_ok=True)
    _train(network_config, network)
    with atomic_file(checkpoint) as temporary:
        shutil.copyfile(last_checkpoint(network_config.work_dir), temporary)
    LOGGER.info("proposals: wrote %s", checkpoint)


def _train(config: Config, network: str) -> None:
    """Train the network of a config, of which ``network`` is the name for errors."""
    LOGGER.info("proposals: training the network on base boxes")
    try:
        Runner.from_cfg(config).train()
    except URLError as error:
        key = "prepare.proposals.options.model.backbone.init_cfg"
        raise UserError(
            f"the initial weights of {network} cannot be downloaded ({error.reason}). Name a "
            f"local file with --cfg-options {key}.checkpoint=PATH, or start from scratch with "
            f"{key}=None."
        ) from None
