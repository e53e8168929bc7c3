"""Accuracy of class names on the labelled boxes of a config's val images, base and novel apart.

    python benchmarks/learned_prompts.py configs/vild_r18_shapes.py learned.safetensors

The teacher embeds each box, which is compared with the text embeddings of written templates and of
the vocabulary files. It takes about ten seconds for OVShapes on two CPU cores.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from mmdet.registry import DATASETS
from mmengine.config import Config
from torch import Tensor

import ovdistill.models.register  # noqa: F401
from ovdistill.commands.main import run_options
from ovdistill.commands.options import ConfigOptions, argument, recipe_argument
from ovdistill.core.devices import choose_device
from ovdistill.core.images import read_image
from ovdistill.core.logs import progress
from ovdistill.core.markdown import markdown_table
from ovdistill.models.config import load_config
from ovdistill.teacher import Teacher, build_teacher
from ovdistill.vocabulary import TEMPLATES, Vocabulary


@dataclass(frozen=True, kw_only=True)
class BenchmarkOptions(ConfigOptions):
    """Options of this benchmark."""

    config: str = recipe_argument()
    vocabularies: tuple[str, ...] = argument(
        "vocabulary files with the class names of the config", metavar="FILE"
    )


def main(options: BenchmarkOptions) -> None:
    """Measure and print a table."""
    config = load_config(options.config, options.overrides)
    teacher = build_teacher(config.teacher, choose_device())
    regions, labels, vocabulary = ground_truth(config, teacher)
    rows = {
        name: Vocabulary.encode(vocabulary.names, teacher, TEMPLATES[name]).embeddings
        for name in ("single", "vild63")
    }
    for path in options.vocabularies:
        rows[Path(path).stem] = Vocabulary.load(path).embeddings
    base = vocabulary.is_base[labels]
    lines = []
    for name, embeddings in rows.items():
        correct = ((regions @ embeddings.T).argmax(dim=1) == labels).float() * 100
        lines.append([name, *(f"{correct[own].mean():.2f}" for own in (base, ~base))])
    lines.append(["boxes", *(str(int(own.sum())) for own in (base, ~base))])
    header = [f"top-1 among {len(vocabulary)} names, %", "base", "novel"]
    print(markdown_table(header, lines))


def ground_truth(config: Config, teacher: Teacher) -> tuple[Tensor, Tensor, Vocabulary]:
    """Return (R, D) embeddings and (R,) labels of all val boxes, and the config's vocabulary."""
    dataset = DATASETS.build(dict(config.val_dataloader.dataset, pipeline=[]))
    embeddings, labels = [], []
    for index in progress(range(len(dataset)), title="embedding", unit="image"):
        record = dataset.get_data_info(index)
        own = [instance for instance in record["instances"] if not instance["ignore_flag"]]
        if own:
            pixels = torch.from_numpy(read_image(record["img_path"])).permute(2, 0, 1)
            boxes = torch.tensor([instance["bbox"] for instance in own], dtype=torch.float32)
            embeddings.append(teacher.encode_regions(pixels, boxes).cpu())
            labels += [instance["bbox_label"] for instance in own]
    return torch.cat(embeddings), torch.tensor(labels), dataset.vocabulary


if __name__ == "__main__":
    run_options(main)
