"""Reads from a config what an extraction needs: training images and proposal network."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from mmdet.registry import DATASETS
from mmengine.config import Config, ConfigDict

from ovdistill.core.assets import shipped_proposals
from ovdistill.core.errors import UserError
from ovdistill.core.files import hash_file
from ovdistill.datasets.transforms.fitting_size import Size
from ovdistill.extraction.images import ImageFile
from ovdistill.extraction.network_size import limit_enlarging, needed_limit
from ovdistill.extraction.proposal_note import read_note
from ovdistill.extraction.proposals import NetworkProposals
from ovdistill.models.config import load_config, placeholder_values


def training_images(config: Config) -> list[ImageFile]:
    """List all images of a config's training set, including those without annotations."""
    dataset = DATASETS.build(
        dict(training_dataset(config), pipeline=[], test_mode=True, filter_cfg=None)
    )
    records = (dataset.get_data_info(index) for index in range(len(dataset)))
    return [ImageFile(r["img_id"], r["img_path"], (r["height"], r["width"])) for r in records]


def training_dataset(config: Config) -> ConfigDict:
    """Return the config of the training set, without data sets that wrap it to resample classes.

    Of several that are joined it is the first, whose file must list the images of the others.
    """
    return _without_wrappers(config.train_dataloader.dataset)


def subset_files(config: Config, subset: str) -> tuple[Path, Path]:
    """Return the annotation file of a subset's images, and the folder of the images.

    Args:
        config: from ``load_config``.
        subset: 'train', 'val' or 'test'.

    Raises:
        UserError: the config has no images of that subset.
    """
    dataset = subset_dataset(config, subset)
    root = Path(dataset.get("data_root") or "")
    return root / dataset.ann_file, root / dataset.data_prefix.get("img", "")


def subset_dataset(config: Config, subset: str) -> ConfigDict:
    """Return the config of a subset's data set, see ``training_dataset``.

    Args:
        config: from ``load_config``.
        subset: 'train', 'val' or 'test'.

    Raises:
        UserError: the config has no images of that subset.
    """
    loader = config.get(f"{subset}_dataloader")
    if not loader:
        raise UserError(f"{config.filename} has no {subset} images ({subset}_dataloader)")
    return _without_wrappers(loader.dataset)


def _without_wrappers(dataset: ConfigDict) -> ConfigDict:
    while "dataset" in dataset or "datasets" in dataset:
        dataset = dataset.dataset if "dataset" in dataset else dataset.datasets[0]
    return dataset


def training_annotations(config: Config) -> str:
    """Return the annotation file of the training set."""
    dataset = training_dataset(config)
    return os.path.join(dataset.get("data_root") or "", dataset.ann_file)


def training_source(config: Config) -> dict[str, str]:
    """Return what identifies the list of training images, so that it need not be read again."""
    dataset = training_dataset(config)
    parts = [hash_file(training_annotations(config)), str(dataset.get("indices"))]
    return {"source": " ".join(parts)}


def network_proposals(config: Config, device: str | torch.device) -> NetworkProposals:
    """Load the proposal network of a config, which must have been prepared.

    Args:
        config: its ``prepare.proposals`` names the network and its checkpoint.
        device: where the network runs.

    Raises:
        UserError: the checkpoint is missing or of another network.
    """
    checkpoint = config.prepare.proposals.checkpoint
    return NetworkProposals(proposal_network(config), checkpoint, device)


def proposal_network(config: Config) -> Config:
    """Load the config of the proposal network, with the data root and split of ``config``.

    ``config.prepare.proposals.network`` is looked for beside the config file, then among the
    shipped recipes, since a user's config may inherit it from one of those. Where the preparation
    trains the network, it enlarges images as far as the detector does, see ``network_size``.

    Raises:
        UserError: no such config, or a damaged note beside the network's checkpoint.
    """
    step = config.prepare.proposals
    path = Path(config.filename).parent / step.network
    network = load_config(
        path if path.is_file() else step.network,
        step.get("options", {}),
        placeholder_values(config),
    )
    if within := _enlarging_limit(config, network):
        limit_enlarging(network, within)
    return network


def is_to_be_trained(config: Config) -> bool:
    """Return whether the preparation will train the proposal network of a config."""
    step = config.get("prepare", {}).get("proposals")
    if not step or not step.get("train") or Path(step.checkpoint).is_file():
        return False
    published = step.get("published")
    return not (published and shipped_proposals(published).is_file())


def _enlarging_limit(config: Config, network: Config) -> Size | None:
    """Return the limit with which a network was trained, or will be; None for none."""
    step = config.prepare.proposals
    if Path(step.checkpoint).is_file():
        note = read_note(step.checkpoint) or {}
        return tuple(note["enlarge_within"]) if note.get("enlarge_within") else None
    return needed_limit(config, network) if is_to_be_trained(config) else None
