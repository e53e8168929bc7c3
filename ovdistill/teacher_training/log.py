"""The log of a training: lines for people, and ``log.jsonl`` for programs."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter

import torch
from torch import Tensor

from ovdistill.core.distributed import is_main_process
from ovdistill.core.files import write_text

LOGGER = logging.getLogger(__name__)
NAME = "log.jsonl"


class TrainingLog:
    """Averages what the steps report between two lines; only rank 0 writes.

    Args:
        folder: of ``log.jsonl``.
        steps: of the whole training.
        step: how many of them were made; records of later ones, of an interrupted run, are dropped.
    """

    def __init__(self, folder: Path, steps: int, step: int = 0) -> None:
        self.path, self.steps = folder / NAME, steps
        self._sums: dict[str, Tensor] = {}
        self._last: dict[str, float | Tensor] = {}
        self._count = 0
        if is_main_process():
            write_text(self.path, "".join(_records_until(self.path, step)))
        self._clock = perf_counter()

    def add(self, losses: Mapping[str, Tensor], rate: float, norm: Tensor, scale: Tensor) -> None:
        """Add a step; its tensors stay on their device until a line is written."""
        for name, value in losses.items():
            self._sums[name] = self._sums.get(name, torch.zeros_like(value)) + value
        self._last = dict(rate=rate, gradient=norm, scale=scale.detach())
        self._count += 1

    def write(self, step: int) -> None:
        """Write a line of the mean losses since the last one, of this rank."""
        if not is_main_process():
            return
        means = {name: (value / self._count).item() for name, value in self._sums.items()}
        others = {name: float(value) for name, value in self._last.items()}
        now = perf_counter()
        seconds = (now - self._clock) / self._count
        losses = ", ".join(f"{name} {value:.4f}" for name, value in means.items())
        LOGGER.info(
            "step %d of %d: %s, rate %.2e, gradient %.2f, scale %.1f, %.2f s a step",
            *(step, self.steps, losses, others["rate"], others["gradient"], others["scale"]),
            seconds,
        )
        self._append(dict(step=step, **means, **others, seconds=seconds))
        self._sums, self._count, self._clock = {}, 0, now

    def note(self, step: int, **figures: float) -> None:
        """Write a line of what was measured after a step."""
        shown = ", ".join(f"{name.replace('_', '-')} {v:.3f}" for name, v in figures.items())
        LOGGER.info("step %d of %d: %s", step, self.steps, shown)
        self._append(dict(step=step, **figures))

    def _append(self, record: Mapping[str, float]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")


def _records_until(path: Path, step: int) -> list[str]:
    """Return the lines of a log up to a step; a line that a killed run has left half is dropped."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.is_file() else []
    kept = []
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and record.get("step", math.inf) <= step:
            kept.append(line)
    return kept
