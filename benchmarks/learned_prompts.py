"""How well words name the ground truth boxes of a config's val images, base and novel apart.

    python benchmarks/learned_prompts.py configs/vild_r18_shapes.py learned.safetensors

The teacher looks at each box itself; the words of its written templates stand beside those of the
vocabulary files. About ten seconds for OVShapes on two CPU cores.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import mmcv
import torch
from mmdet.registry import DATASETS
from mmengine.config import Config, DictAction
from torch import Tensor
from tqdm import tqdm

import ovdistill.models.register  # noqa: F401
from ovdistill.core.devices import choose_device
from ovdistill.core.errors import run_tool
from ovdistill.models.config import load_config
from ovdistill.teacher import Teacher, build_teacher
from ovdistill.vocabulary import TEMPLATES, Vocabulary


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config")
    parser.add_argument("vocabularies", nargs="+", help="files with the words of the config")
    parser.add_argument("--cfg-options", nargs="+", action=DictAction)
    args = parser.parse_args()
    config = load_config(args.config, args.cfg_options)
    teacher = build_teacher(config.teacher, choose_device())
    regions, labels, words = ground_truth(config, teacher)
    rows = {
        name: Vocabulary.encode(words.names, teacher, templates).embeddings
        for name, templates in TEMPLATES.items()
    }
    for path in args.vocabularies:
        rows[Path(path).stem] = Vocabulary.load(path).embeddings
    base = words.is_base[labels]
    print(f"| top-1 among {len(words)} words, % | base | novel |\n|---|---|---|")
    for name, embeddings in rows.items():
        correct = ((regions @ embeddings.T).argmax(dim=1) == labels).float() * 100
        print(f"| {name} | {correct[base].mean():.2f} | {correct[~base].mean():.2f} |")
    print(f"| boxes | {int(base.sum())} | {int((~base).sum())} |")


def ground_truth(config: Config, teacher: Teacher) -> tuple[Tensor, Tensor, Vocabulary]:
    """(n, D) embeddings and (n,) labels of all val boxes, and the config's words."""
    dataset = DATASETS.build(dict(config.val_dataloader.dataset, pipeline=[]))
    embeddings, labels = [], []
    for index in tqdm(range(len(dataset)), unit="image"):
        record = dataset.get_data_info(index)
        own = [instance for instance in record["instances"] if not instance["ignore_flag"]]
        if own:
            image = mmcv.imread(record["img_path"], channel_order="rgb")
            pixels = torch.from_numpy(image).permute(2, 0, 1)
            boxes = torch.tensor([instance["bbox"] for instance in own], dtype=torch.float32)
            embeddings.append(teacher.encode_regions(pixels, boxes).cpu())
            labels += [instance["bbox_label"] for instance in own]
    return torch.cat(embeddings), torch.tensor(labels), dataset.vocabulary


if __name__ == "__main__":
    run_tool(main)
