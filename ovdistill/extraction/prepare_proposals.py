"""The preparation step that makes a proposal network: shipped weights, or a training."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from urllib.error import URLError

import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.runner import Runner

from ovdistill.core.assets import shipped_proposals
from ovdistill.core.checkpoints import last_checkpoint, read_weights
from ovdistill.core.errors import UserError
from ovdistill.core.files import atomic_file
from ovdistill.extraction.config_inputs import proposal_network


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
    if Path(checkpoint).is_file():
        print_log(f"proposals: {checkpoint}", "current")
        return
    shipped = shipped_proposals(published) if published else None
    if shipped is not None and shipped.is_file():
        weights = {name: value.float() for name, value in read_weights(shipped).items()}
        with atomic_file(checkpoint) as temporary:  # processes of an extraction may meet here
            torch.save(dict(state_dict=weights), temporary)
        print_log(f"proposals: wrote {checkpoint} (as shipped: {shipped.name})", "current")
        return
    own = proposal_network(config)
    if not train:
        raise UserError(
            f"no proposal network {checkpoint}. Train it on base boxes first:\n"
            f"  ovdistill train {own.filename} --cfg-options data_root={config.data_root}\n"
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
    with atomic_file(checkpoint) as temporary:
        shutil.copyfile(last_checkpoint(own.work_dir), temporary)
    print_log(f"proposals: wrote {checkpoint}", "current", logging.INFO)
