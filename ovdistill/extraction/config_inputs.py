"""What a config says of a store: its images and the source of its boxes."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from mmdet.registry import DATASETS
from mmengine.config import Config, ConfigDict

from ovdistill.extraction.images import ImageFile
from ovdistill.extraction.proposals import NetworkProposals
from ovdistill.models.config import load_config, placeholder_values


def training_images(config: Config) -> list[ImageFile]:
    """All images of a config's training set, those without a label too."""
    dataset = DATASETS.build(
        dict(training_dataset(config), pipeline=[], test_mode=True, filter_cfg=None)
    )
    records = (dataset.get_data_info(index) for index in range(len(dataset)))
    return [ImageFile(r["img_id"], r["img_path"], (r["height"], r["width"])) for r in records]


def training_dataset(config: Config) -> ConfigDict:
    """Return the config of the training set, without what samplers by class wrap around it."""
    dataset = config.train_dataloader.dataset
    while "dataset" in dataset:
        dataset = dataset.dataset
    return dataset


def training_annotations(config: Config) -> str:
    """Return the annotation file of the training set."""
    dataset = training_dataset(config)
    return os.path.join(dataset.get("data_root") or "", dataset.ann_file)


def network_proposals(config: Config, device: str | torch.device) -> NetworkProposals:
    """Load the network of ``config.prepare.proposals``, which must be prepared."""
    checkpoint = config.prepare.proposals.checkpoint
    return NetworkProposals(proposal_network(config), checkpoint, device)


def proposal_network(config: Config) -> Config:
    """The config of ``config.prepare.proposals.network``, on the data of ``config``.

    It is looked for beside the config, then among the shipped ones: a config of a user's own
    inherits the step from those.
    """
    step = config.prepare.proposals
    path = Path(config.filename).parent / step.network
    return load_config(
        path if path.is_file() else step.network,
        {**placeholder_values(config), **step.get("options", {})},
    )
