r"""Regions by crops, from dense features, and from refined ones, on the embedded benchmark.

    ovdistill prepare vild_r18_shapes --cfg-options geometry=plain
    ovdistill teacher refine --teacher ovshapes-plain --images data/ovshapes/images \
        --annotations data/ovshapes/annotations/instances_train.json \
        --regions data/ovshapes/shape/plain/regions -o refined --size 192 --lr 1e-3 --steps 3000
    python benchmarks/dense_regions.py --refined refined

With --stage 3 for `teacher refine`, and --ways own dense:192:3 here: regions that share the first
three stages of the tower alone.

Prints, for the labelled boxes of the val images: the share whose nearest name is their own, of base
and of novel names; the cosine to crops; milliseconds a box. --student trains vild_r18_shapes with
each way and tests it on the test images (about 10 minutes of a core each); after an interruption
the same command goes on.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ovdistill.commands.main import run_options
from ovdistill.commands.options import ConfigOptions, flag, option
from ovdistill.commands.teacher.box_inputs import find_box_inputs
from ovdistill.commands.teacher.crops import crop_policies
from ovdistill.commands.teacher.evaluate import EvaluateOptions
from ovdistill.commands.teacher.inputs import Inputs
from ovdistill.core.markdown import markdown_table
from ovdistill.evaluation.comparison_rows import PLAIN_TEMPERATURE
from ovdistill.extraction.encode_objects import encode_objects
from ovdistill.models.config import load_config
from ovdistill.teacher import DenseRegions, RegionPolicy, Teacher, build_teacher

CONFIG = "vild_r18_shapes"
# a map of the shipped teacher does not fit a refined one, and without it names need their own
# temperature
PLAIN = ("geometry=plain", PLAIN_TEMPERATURE)


@dataclass(frozen=True, kw_only=True)
class BenchmarkOptions(ConfigOptions):
    """Options of this benchmark."""

    refined: Path | None = option(None, metavar="DIR", help="a teacher of `teacher refine`")
    ways: tuple[str, ...] = option(
        ("own", "dense:128", "dense:192", "dense:256"),
        help="ways to embed regions, 'own' first; the dense ones are also measured refined",
    )
    max_images: int | None = option(None, help="val images (default: all)", least=1)
    student: bool = flag(help="train and test a student with each way, too")
    work_dir: Path = option(Path("work_dirs/dense_regions"), help="folder of the students")


@dataclass(frozen=True, eq=False)
class Row:
    """What a teacher with a way to embed regions reaches."""

    embeddings: Tensor
    labels: Tensor
    seconds: float


def main(options: BenchmarkOptions) -> None:
    """Measure and print a table."""
    overrides = (*PLAIN, *options.cfg_options)
    teacher = build_teacher(load_config(CONFIG, {"geometry": "plain"}).teacher)
    inputs = find_box_inputs(
        EvaluateOptions(
            config=CONFIG, cfg_options=overrides, max_images=options.max_images, crops=("own",)
        ),
        teacher,
    )
    policies = crop_policies(options.ways, teacher.crops)
    rows = measure(inputs, {"": teacher}, policies)
    if options.refined:
        dense = {k: v for k, v in policies.items() if isinstance(v, DenseRegions)}
        refined = build_teacher(dict(model=str(options.refined)))
        rows |= measure(inputs, {" refined": refined}, dense)
    print_table(inputs, rows)
    if options.student:
        for name in rows:
            print(f"| {name} | {student(name, options)} |", flush=True)


def measure(
    inputs: Inputs, teachers: Mapping[str, Teacher], policies: Mapping[str, RegionPolicy]
) -> dict[str, Row]:
    """Embed the true boxes with each teacher and policy; the texts are those of ``inputs``."""
    rows = {}
    for suffix, teacher in teachers.items():
        for name, policy in policies.items():
            measured = inputs.measured
            start = time.perf_counter()
            chunks = list(
                encode_objects(measured.files, measured.objects, teacher, {name: policy}, workers=0)
            )
            seconds = time.perf_counter() - start
            rows[name + suffix] = Row(
                torch.cat([chunk.embeddings[name] for chunk in chunks]),
                torch.cat([chunk.objects.labels for chunk in chunks]),
                seconds,
            )
    return rows


def print_table(inputs: Inputs, rows: Mapping[str, Row]) -> None:
    """Print a line for each row; cosines are to the first."""
    texts, is_base = inputs.vocabulary.embeddings, inputs.vocabulary.is_base
    crops = next(iter(rows.values()))
    base = is_base[crops.labels]
    print(f"{int(base.sum())} boxes of base names, {int((~base).sum())} of novel ones")
    lines = []
    for name, row in rows.items():
        correct = ((row.embeddings @ texts.T).argmax(dim=1) == row.labels).float() * 100
        cosine = (row.embeddings * crops.embeddings).sum(dim=1).mean()
        each = 1e3 * row.seconds / len(row.labels)
        shares = [f"{correct[own].mean():.1f}" for own in (base, ~base)]
        lines.append([name, *shares, f"{cosine:.3f}", f"{each:.1f}"])
    print(markdown_table(["regions", "base", "novel", "cosine to crops", "ms a box"], lines))


def student(name: str, options: BenchmarkOptions) -> str:
    """Train and test vild_r18_shapes with a way to embed regions; return its box AP."""
    way, _, refined = name.partition(" ")
    folder = options.work_dir / name.replace(":", "-").replace(" ", "-")
    values = [*PLAIN, *options.cfg_options, f"regions={folder / 'regions'}"]
    if way.startswith("dense:"):
        size, _, stage = way.partition(":")[2].partition(":")
        values += ["teacher.crops.mode=dense", f"teacher.crops.size={size}"]
        values += [f"teacher.crops.stage={stage}"] if stage else []
    if refined:
        values.append(f"teacher.model={options.refined}")
        values.append(f"vocabulary={folder / 'vocabulary.safetensors'}")
    out = folder / "test"
    if not (out / "metrics.json").is_file():
        command = [sys.executable, "-m", "ovdistill"]
        train = [*command, "train", CONFIG, "--work-dir", str(folder), "--resume", "--cfg-options"]
        subprocess.run([*train, *values, "train_cfg.val_begin=1000000000"], check=True)
        test = [*command, "test", CONFIG, str(folder / "last.pth"), "-o", str(out), "--cfg-options"]
        subprocess.run([*test, *values], check=True)
    metrics = json.loads((out / "metrics.json").read_text())
    return f"base {metrics['bbox/AP_base']:.1f}, novel {metrics['bbox/AP_novel']:.1f}"


if __name__ == "__main__":
    run_options(main)
