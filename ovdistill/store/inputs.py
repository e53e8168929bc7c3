"""What a config says of a store: its pictures and the source of its boxes."""

from __future__ import annotations

from pathlib import Path

import torch
from mmdet.registry import DATASETS
from mmengine.config import Config

from ovdistill.build import load_config, placeholders
from ovdistill.store.pictures import PictureFile
from ovdistill.store.proposals import NetworkProposals

SHIPPED_CONFIGS = Path(__file__).parents[2] / "configs"


def training_pictures(config: Config) -> list[PictureFile]:
    """All pictures of a config's training set, those without a label too."""
    dataset = config.train_dataloader.dataset
    while "dataset" in dataset:  # samplers by class wrap the data set
        dataset = dataset.dataset
    dataset = DATASETS.build(dict(dataset, pipeline=[], test_mode=True, filter_cfg=None))
    records = (dataset.get_data_info(index) for index in range(len(dataset)))
    return [PictureFile(r["img_id"], r["img_path"], (r["height"], r["width"])) for r in records]


def network_proposals(config: Config, device: str | torch.device) -> NetworkProposals:
    """The network of ``config.prepare.proposals``, made ready where it can be."""
    from ovdistill.prepare import prepare_proposals, run_step

    run_step(config, "proposals", prepare_proposals)
    checkpoint = config.prepare.proposals.checkpoint
    return NetworkProposals(proposal_network(config), checkpoint, device)


def proposal_network(config: Config) -> Config:
    """The config of ``config.prepare.proposals.network``, on the data of ``config``.

    It is looked for beside the config, then among the shipped ones: a config of a user's own
    inherits the step from those.
    """
    step = config.prepare.proposals
    path = Path(config.filename).parent / step.network
    if not path.is_file() and (SHIPPED_CONFIGS / step.network).is_file():
        path = SHIPPED_CONFIGS / step.network
    return load_config(path, {**placeholders(config), **step.get("options", {})})
