"""Towers, pairs and configs that are small enough to train in a test."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ovdistill.core.images import write_image
from ovdistill.teacher_training.batch import NO_LABEL, TrainingBatch
from ovdistill.teacher_training.build_towers import build_towers
from ovdistill.teacher_training.open_clip_towers import OpenCLIPTowers

WORDS = ("red", "green", "blue", "cat", "dog", "left", "a", "photo", "of")
TEXT = dict(context_length=12, width=16, heads=2, layers=1)
VIT = dict(image_size=16, layers=2, width=16, head_width=8, patch_size=8)
RESNET = dict(layers=[1, 1, 1, 1], width=8, head_width=64, patch_size=None, image_size=32)
TIMM = dict(timm_model_name="test_convnext", timm_pool="avg", timm_proj="linear", image_size=32)


def model(vision: dict[str, Any] = VIT, **options: Any) -> dict[str, Any]:
    """The config's ``model`` of untrained towers."""
    cfg = dict(embed_dim=8, vision_cfg=dict(vision), text_cfg=dict(TEXT))
    return dict(name="tiny", model=cfg, words=list(WORDS), **options)


def towers(vision: dict[str, Any] = VIT, seed: int = 0) -> OpenCLIPTowers:
    return build_towers(model(vision), seed)[0]


def batch(built: OpenCLIPTowers, count: int = 8, seed: int = 0) -> TrainingBatch:
    """Random images and texts."""
    generator = torch.Generator().manual_seed(seed)
    shape = (count, 3, built.image_size, built.image_size)
    texts = [f"a {WORDS[i % 3]} {WORDS[3 + i % 2]}" for i in range(count)]
    return TrainingBatch(
        images=torch.randn(shape, generator=generator),
        tokens=built.tokenizer(texts),
        labels=torch.full((count,), NO_LABEL),
        views=torch.randn(shape, generator=generator),
    )


def write_pairs(folder: Path, count: int = 24) -> Path:
    """A folder of images of one colour each, and a table of pairs."""
    rng = np.random.default_rng(0)
    (folder / "images").mkdir(parents=True)
    with (folder / "pairs.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["image", "text", "label"])
        for number in range(count):
            image = rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)
            image[..., number % 3] = 255
            write_image(folder / "images" / f"{number}.png", image)
            colour = WORDS[number % 3]
            rows.writerow([f"{number}.png", f"a {colour} photo", colour])
    return folder / "pairs.csv"


def config(folder: Path, **training: Any) -> dict[str, Any]:
    """A config that trains on the pairs of ``write_pairs``."""
    settings = dict(steps=4, batch=8, workers=0, log_every=1, checkpoint_every=2, warm_up=1)
    table = dict(type="PairTable", file=str(folder / "pairs.csv"), images=str(folder / "images"))
    return dict(
        model=model(),
        data=[table],
        objectives=[dict(type="ImageTextContrastive")],
        training={**settings, **training},
    )
