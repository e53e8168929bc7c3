"""Time of a test image for several detectors, taken in turns.

    python benchmarks/detector_speed.py --configs vild_text_r18_shapes best_r18_shapes \
        --checkpoints work_dirs/vild_text_r18_shapes/last.pth work_dirs/best_r18_shapes/last.pth

Every batch of test images goes through each detector before the next one does, so that a busy
machine is busy for all of them. Prints the median CPU milliseconds of an image that are spent on
its data, in the detector, and on making results of its detections (masks are encoded there), and
the sum over that of the first detector. On a CPU; one thread says most.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
from mmengine.evaluator import Evaluator
from mmengine.runner import Runner
from torch import nn

from ovdistill.commands.checks import check_file
from ovdistill.commands.main import run_options
from ovdistill.commands.options import CommonOptions, option
from ovdistill.commands.test.inputs import TestOptions, testing_config
from ovdistill.core.errors import UserError
from ovdistill.models.build import load_weights

STEPS = ("data", "detector", "results")


@dataclass(frozen=True, kw_only=True)
class BenchmarkOptions(CommonOptions):
    """Options of this benchmark."""

    configs: tuple[str, ...] = option(help="recipes, whose regions are prepared", metavar="CONFIG")
    checkpoints: tuple[str, ...] = option(help="one for each recipe", metavar="FILE")
    batches: int = option(25, help="of test images", least=1)
    rounds: int = option(2, help="how often each batch is seen", least=1)
    threads: int = option(1, help="CPU threads of torch", least=1)
    cfg_options: tuple[str, ...] = option((), help="for all recipes", metavar="KEY=VALUE")


@dataclass(frozen=True)
class Tested:
    """A detector, the batches of its test images, and what makes results of its detections."""

    name: str
    model: nn.Module
    loader: Any
    evaluator: Evaluator


def main(options: BenchmarkOptions) -> None:
    """Measure and print."""
    if len(options.configs) != len(options.checkpoints):
        raise UserError(
            f"got {len(options.configs)} --configs and {len(options.checkpoints)} --checkpoints; "
            "expected one checkpoint for each recipe."
        )
    torch.set_num_threads(options.threads)
    pairs = zip(options.configs, options.checkpoints, strict=True)
    tested = [prepare(*pair, options.cfg_options) for pair in pairs]
    first = 0.0
    for one, times in zip(tested, measure(tested, options), strict=True):
        steps = [median(step) for step in zip(*times, strict=True)]
        whole = median(map(sum, times))
        first = first or whole
        parts = ", ".join(f"{name} {ms:.1f}" for name, ms in zip(STEPS, steps, strict=True))
        print(f"{one.name}: {parts}; together {whole:.1f} ms an image, {whole / first:.2f} x")


def prepare(name: str, checkpoint: str, cfg_options: tuple[str, ...]) -> Tested:
    """Build a detector with its weights, and what `ovdistill test` gives to it.

    Raises:
        UserError: no such recipe or checkpoint, or weights that do not fit.
    """
    check_file(checkpoint, "--checkpoints")
    given = TestOptions(config=name, checkpoint=checkpoint, cfg_options=cfg_options, quiet=True)
    config = testing_config(given, given.folder)
    config.test_dataloader.update(num_workers=0, persistent_workers=False)  # its time counts too
    runner = Runner.from_cfg(config)
    load_weights(runner.model, checkpoint)
    evaluator = runner.build_evaluator(config.test_evaluator)
    evaluator.dataset_meta = runner.test_dataloader.dataset.metainfo
    return Tested(Path(name).stem, runner.model.eval(), runner.test_dataloader, evaluator)


def measure(tested: list[Tested], options: BenchmarkOptions) -> list[list[list[float]]]:
    """Return the milliseconds of an image, for each detector, batch and step."""
    times: list[list[list[float]]] = [[] for _ in tested]
    for _ in range(options.rounds):
        batches = [iter(one.loader) for one in tested]
        for _ in range(min(options.batches, *(len(one.loader) for one in tested))):
            for one, own, found in zip(tested, batches, times, strict=True):
                found.append(measure_batch(one, own))
    return times


@torch.no_grad()
def measure_batch(one: Tested, batches: Iterator[dict[str, Any]]) -> list[float]:
    """Return the milliseconds of an image of the next batch, for each step."""
    clock = [time.process_time()]
    batch = next(batches)
    clock.append(time.process_time())
    found = one.model.test_step(batch)
    clock.append(time.process_time())
    one.evaluator.process(data_samples=found, data_batch=batch)
    clock.append(time.process_time())
    return [1e3 * (end - start) / len(found) for start, end in zip(clock, clock[1:], strict=False)]


if __name__ == "__main__":
    run_options(main)
