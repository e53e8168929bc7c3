"""A training of a few parameters on random numbers, with every part that a real one has."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmdet.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.structures import BaseDataElement

import ovdistill.models.register
import ovdistill.training.register  # noqa: F401
from ovdistill.training.runner import TrainingRunner

BAD = (7,)  # images whose pixels are NaN in a data set that is to have some

VALIDATION = dict(
    val_dataloader=dict(
        batch_size=2,
        num_workers=0,
        sampler=dict(type="DefaultSampler", shuffle=False),
        dataset=dict(type="ToyDataset"),
    ),
    val_cfg=dict(type="ValLoop"),
    val_evaluator=[dict(type="mmdet.DumpDetResults", out_file_path="none.pkl")],
)


@DATASETS.register_module()
class ToyDataset(torch.utils.data.Dataset):
    """Images of random numbers, changed at random by numpy's generator."""

    metainfo = {"classes": ("a",)}

    def __init__(self, bad: tuple[int, ...] = (), value: float = float("nan")) -> None:
        self.bad, self.value = bad, value

    def full_init(self) -> None:
        """Do nothing, as a data set that is read already."""

    def __len__(self) -> int:
        return 10

    def get_data_info(self, index: int) -> dict[str, int]:
        """Return the size of an image, as samplers read it; every third is high."""
        return dict(width=4, height=4 + (index % 3 == 0))

    def __getitem__(self, index: int) -> dict[str, Any]:
        pixels = torch.randn(3, 4, 4, generator=torch.Generator().manual_seed(index))
        pixels = pixels + float(np.random.rand())
        if index in self.bad:
            pixels[:] = self.value
        sample = BaseDataElement(metainfo=dict(img_id=index, img_path=f"{index}.png"))
        return dict(inputs=pixels, data_samples=sample)


@MODELS.register_module()
class ToyModel(BaseModel):
    """Two layers, and a loss that draws from torch's generator too."""

    def __init__(self, width: int = 4, init_cfg: Any = None) -> None:
        super().__init__(init_cfg=init_cfg)
        self.first = torch.nn.Linear(48, width)
        self.last = torch.nn.Linear(width, 1)

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "loss") -> Any:
        flat = torch.stack(list(inputs)).flatten(1)
        noise = torch.rand(len(flat), 1)
        loss = (self.last(self.first(flat)) - noise).square().mean()
        return dict(loss=loss) if mode == "loss" else data_samples


def toy_config(work_dir: Path, **options: Any) -> Config:
    """Return the config of a training of six iterations with a checkpoint at every third.

    Args:
        work_dir: folder of the run.
        options: dotted keys, with "__" for the dots, and values.
    """
    config = Config(
        dict(
            default_scope="mmdet",
            work_dir=str(work_dir),
            model=dict(type="ToyModel"),
            train_cfg=dict(type="IterBasedTrainLoop", max_iters=6, val_interval=1000),
            train_dataloader=dict(
                batch_size=2,
                num_workers=0,
                sampler=dict(type="InfiniteSampler", shuffle=True),
                dataset=dict(type="ToyDataset"),
            ),
            optim_wrapper=dict(
                type="OptimWrapper",
                optimizer=dict(type="AdamW", lr=0.01),
                clip_grad=dict(max_norm=10),
            ),
            param_scheduler=[dict(type="LinearLR", start_factor=0.1, by_epoch=False, end=6)],
            default_hooks=dict(
                checkpoint=dict(
                    type="SafeCheckpointHook", by_epoch=False, interval=3, max_keep_ckpts=1
                ),
                non_finite=dict(type="StopOnNonFinite"),
                keep_generators=dict(type="KeepGenerators"),
                logger=dict(type="LoggerHook", interval=100),
            ),
            env_cfg=dict(mp_cfg=dict(mp_start_method="fork")),
            log_processor=dict(type="LogProcessor", by_epoch=False),
            randomness=dict(seed=0),
            log_level="WARNING",
            experiment_name=f"toy_{secrets.token_hex(4)}",
        )
    )
    config.merge_from_dict({key.replace("__", "."): value for key, value in options.items()})
    return config


def log_of(work_dir: Path) -> str:
    """Return all that the runs in a folder have logged."""
    return "".join(path.read_text() for path in work_dir.glob("*/*.log"))


def run_toy(config: Config) -> TrainingRunner:
    """Train a config; return the runner."""
    runner = TrainingRunner.from_cfg(config)
    runner.train()
    return runner
