"""Trains the small teacher of the embedded benchmark, a CLIP, with open_clip's contrastive loss.

Each step embeds crops of all 65 categories in several colours, and captions of them at several
levels ("a photo of a red striped star.", "a striped star", "star"). A caption that fits two crops
of a batch would be a false negative for one of them. So the loss of a level is computed over groups
in which every caption occurs once.
"""

from __future__ import annotations

import json
import math
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from open_clip.model import CLIP
from open_clip.tokenizer import SimpleTokenizer
from torch import Tensor

from ovdistill.core.assets import TEACHER_DIR
from ovdistill.core.errors import UserError
from ovdistill.core.files import write_bytes
from ovdistill.core.logs import progress
from ovdistill.core.tensor_files import write_tensor_file
from ovdistill.ovshapes.categories import BACKGROUNDS, COLOURS, PATTERNS, SHAPES
from ovdistill.ovshapes.teacher.data import (
    CATEGORY,
    COLOUR_SHAPE,
    FULL,
    NUM_CATEGORIES,
    SHAPE,
    SIZES,
    CropSampler,
    Pool,
    draw_pool,
    draw_template,
    phrase,
)
from ovdistill.ovshapes.teacher.tokenizer import learn_merges, merges_file, vocabulary_size
from ovdistill.teacher import CropPolicy
from ovdistill.teacher.open_clip_model import BPE_NAME
from ovdistill.teacher.weights import CONFIG_NAME
from ovdistill.vocabulary.prompts import TEMPLATES, fill_template

WEIGHTS_NAME = "open_clip_model.safetensors"
NAME = "ovshapes-rn"
MEAN = STD = (0.5, 0.5, 0.5)
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 0.05
WARM_UP = 60  # steps
IMAGE_EVERY, IMAGES = 4, 32  # every 4th step has 32 whole images with captions too
LEVELS = (FULL, COLOUR_SHAPE, FULL, SHAPE)  # in turn, together with CATEGORY in each step
MAX_LOGIT_SCALE = math.log(100)  # CLIP, section 2.5


def words() -> set[str]:
    """Return all words of the captions and templates; each of them becomes one token."""
    sentences = " ".join(TEMPLATES["vild63"]).replace("{article}", "a an").lower()
    found = set(re.findall("[a-z]+", sentences))
    return found | {*COLOURS, *PATTERNS, *SHAPES, *BACKGROUNDS} | {"and", "on", "background"}


def model_config(vocab_size: int) -> dict[str, Any]:
    """Return the configuration of the small teacher in open_clip's form."""
    return {
        "embed_dim": 128,
        "vision_cfg": {
            "layers": [1, 2, 2, 1],
            "width": 16,
            "head_width": 64,
            "patch_size": None,
            "image_size": 64,
        },
        "text_cfg": {
            "context_length": 32,
            "vocab_size": vocab_size,
            "width": 96,
            "heads": 4,
            "layers": 2,
        },
    }


def train_teacher(
    out: str | os.PathLike[str] = TEACHER_DIR,
    steps: int = 2000,
    batch: int = 130,
    seed: int = 0,
    pool: int = 8000,
    workers: int = 2,
) -> Path:
    """Draw images, train a teacher on them, and write a directory that ``OpenCLIPTeacher`` loads.

    Args:
        out: the directory to write.
        steps: number of optimiser steps.
        batch: crops in a step, a multiple of 65 up to 520.
        seed: random seed of images, weights and batches.
        pool: number of images to draw (49 kB of memory each).
        workers: number of processes that draw them.

    Returns:
        ``out``.

    Raises:
        UserError: a value out of its range, or too few images.
    """
    if batch % NUM_CATEGORIES or not 0 < batch <= NUM_CATEGORIES * SIZES[0]:
        raise UserError(f"--batch is {batch}; expected a multiple of {NUM_CATEGORIES} up to 520")
    if steps < 1 or pool < 1:
        raise UserError(f"--steps {steps}, --pool {pool}; expected at least 1")
    merges = learn_merges(words())
    config = model_config(vocabulary_size(merges))
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    write_bytes(out / BPE_NAME, merges_file(merges))
    tokenizer = SimpleTokenizer(
        str(out / BPE_NAME), context_length=config["text_cfg"]["context_length"]
    )
    model = fit(config, tokenizer, draw_pool(seed, pool, workers), steps, batch, seed)
    write_teacher(out, model, config)
    return out


def fit(
    config: dict[str, Any],
    tokenizer: SimpleTokenizer,
    pool: Pool,
    steps: int,
    batch: int,
    seed: int,
) -> CLIP:
    """Train a model; the progress bar shows loss and accuracy over the 65 categories.

    Args:
        config: see ``model_config``.
        tokenizer: tokenizer of the captions.
        pool: the images.
        steps: number of optimiser steps.
        batch: crops in a step, a multiple of 65.
        seed: random seed of weights and batches.
    """
    torch.manual_seed(seed)
    model = CLIP(**config).train()
    model.visual.to(memory_format=torch.channels_last)
    sampler = CropSampler(
        pool, batch // NUM_CATEGORIES, config["vision_cfg"]["image_size"], CropPolicy(), seed
    )
    decayed = [p for p in model.parameters() if p.ndim >= 2]
    others = [p for p in model.parameters() if p.ndim < 2]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0}],
        lr=LEARNING_RATE,
        betas=(0.9, 0.98),
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps))
    rng = np.random.default_rng(seed)
    loss_mean = accuracy = 0.0
    with progress(total=steps, title="training the teacher", unit="step") as bar:
        for step in range(steps):
            loss, correct = _step_loss(model, tokenizer, sampler, rng, step)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            with torch.no_grad():
                model.logit_scale.clamp_(max=MAX_LOGIT_SCALE)
            keep = min(0.95, step / (step + 1))
            loss_mean = keep * loss_mean + (1 - keep) * loss.item()
            accuracy = keep * accuracy + (1 - keep) * correct
            bar.set_postfix(loss=f"{loss_mean:.3f}", accuracy=f"{accuracy:.3f}", refresh=False)
            bar.update()
    return model.eval()


def _rate(step: int, steps: int) -> float:
    """Return the factor of the learning rate: a linear warm-up, then half a cosine."""
    warm_up = min(WARM_UP, steps // 4 + 1)
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up)))


def _step_loss(
    model: CLIP,
    tokenizer: SimpleTokenizer,
    sampler: CropSampler,
    rng: np.random.Generator,
    step: int,
) -> tuple[Tensor, float]:
    """Return the loss of a batch, and the accuracy of its crops over the 65 categories."""
    crops, kinds = sampler.crops()
    whole, captions = sampler.images(IMAGES) if step % IMAGE_EVERY == 0 else (None, [])
    pixels = crops if whole is None else torch.cat([crops, whole])
    pixels = (pixels - 0.5) / 0.5
    levels = (CATEGORY, LEVELS[step % len(LEVELS)])
    labels: list[np.ndarray] = []
    texts: list[str] = []
    for level in levels:
        names, label = np.unique([phrase(kind, level) for kind in kinds], return_inverse=True)
        labels.append(label + len(texts))
        # the same template for all, so that captions differ in what they say of the object only
        template = draw_template(rng)
        texts += [fill_template(template, str(name)) for name in names]
    pixels = pixels.contiguous(memory_format=torch.channels_last)
    image = model.encode_image(pixels, normalize=True)
    text = model.encode_text(tokenizer(texts + captions), normalize=True)
    scale = model.logit_scale.exp()
    region, phrases = image[: len(kinds)], text[: len(texts)]
    first, second = (group_loss(region, phrases, label, scale) for label in labels)
    loss = first + second
    if whole is not None:
        pairs = np.arange(IMAGES)
        loss = loss + 0.5 * group_loss(image[len(kinds) :], text[len(texts) :], pairs, scale)
    with torch.no_grad():
        last = labels[0].max() + 1
        best = (region @ phrases[:last].T).argmax(dim=1).numpy()
    return loss, float((best == labels[0]).mean())


def group_loss(image: Tensor, text: Tensor, labels: np.ndarray, scale: Tensor) -> Tensor:
    """Compute open_clip's ClipLoss over groups in which no text occurs twice.

    Args:
        image: (n, D) image embeddings, unit norm.
        text: (T, D) text embeddings, unit norm.
        labels: (n,) int, the index of the text of each image.
        scale: scalar, the factor that makes logits of cosines.

    Returns:
        Scalar, the mean over the n images. Group k has the k-th image of each text.
    """
    seen: dict[int, int] = {}
    group = np.zeros(len(labels), int)
    for i, label in enumerate(labels.tolist()):
        group[i] = seen[label] = seen.get(label, -1) + 1
    clip_loss, total = open_clip.ClipLoss(), image.new_zeros(())
    for number in range(group.max() + 1):
        members = np.flatnonzero(group == number)
        total = total + len(members) * clip_loss(image[members], text[labels[members]], scale)
    return total / len(labels)


def write_teacher(out: Path, model: CLIP, config: dict[str, Any]) -> None:
    """Write the configuration and the weights (matrices in float16) into a directory."""
    state = {
        name: (value.half() if value.ndim >= 2 else value).contiguous()
        for name, value in model.state_dict().items()
    }
    preprocess = {
        "mean": MEAN,
        "std": STD,
        "interpolation": "bilinear",
        "resize_mode": "squash",
    }
    content = {"name": NAME, "model_cfg": config, "preprocess_cfg": preprocess}
    write_bytes(out / CONFIG_NAME, json.dumps(content, indent=2).encode() + b"\n")
    write_tensor_file(out / WEIGHTS_NAME, state, {"format": "pt"})
