"""Fills a store: proposals of a network that saw base boxes only, and the teacher's embeddings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import mmcv
import torch
from mmdet.registry import DATASETS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from torch.utils.data import DataLoader
from tqdm import tqdm

from ovdistill.build import build_detector
from ovdistill.store.store import Regions, write_store
from ovdistill.teacher import build_teacher


def extract_regions(
    config: Config,
    network: Config,
    checkpoint: str,
    path: str | Path,
    per_image: int,
    device: str | None = None,
) -> None:
    """Writes the store of a config's training set.

    Args:
        config: its ``teacher`` embeds, its training set is gone through.
        network: config of the proposal network, an RPN or a class-agnostic detector.
        checkpoint: its weights, trained on base boxes only.
        path: the store to write.
        per_image: regions of the highest objectness to keep for each picture.
        device: where network and teacher run; the GPU if there is one.
    """
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    proposer = build_detector(network, checkpoint, device=device)
    teacher = build_teacher(config.teacher, device)
    header = dict(
        teacher=teacher.id,
        teacher_hash=teacher.weights_hash,
        crops=teacher.crops.to_dict(),
        proposals=str(checkpoint),
        per_image=per_image,
    )
    loader = _pictures(config)
    records = _records(loader, proposer, teacher, per_image)
    total = len(loader.dataset)
    write_store(path, tqdm(records, total=total, desc="teacher regions", unit="picture"), header)


def _pictures(config: Config) -> DataLoader:
    """The training pictures through the test pipeline, so never flipped."""
    dataset = config.train_dataloader.dataset
    while "dataset" in dataset:  # samplers by class wrap the data set
        dataset = dataset.dataset
    dataset = DATASETS.build(
        dict(dataset, pipeline=config.test_pipeline, test_mode=True, filter_cfg=None)
    )
    batch_size = config.train_dataloader.batch_size
    return DataLoader(dataset, batch_size, num_workers=1, collate_fn=pseudo_collate)


@torch.inference_mode()
def _records(
    loader: DataLoader, proposer: torch.nn.Module, teacher: torch.nn.Module, per_image: int
) -> Iterator[tuple[int, Regions]]:
    device = next(proposer.parameters()).device
    for batch in loader:
        for sample in proposer.test_step(batch):
            found = sample.pred_instances[:per_image]
            picture = mmcv.imread(sample.img_path, channel_order="rgb")
            pixels = torch.from_numpy(picture).permute(2, 0, 1).to(device)
            embeddings = teacher.encode_regions(pixels, found.bboxes)
            yield (
                sample.img_id,
                Regions(
                    boxes=found.bboxes.float().cpu(),
                    objectness=found.scores.float().cpu(),
                    embeddings=embeddings.half().cpu(),
                ),
            )
