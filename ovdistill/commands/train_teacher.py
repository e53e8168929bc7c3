"""Train the embedded benchmark's small CLIP teacher, or measure one.

Train and replace the shipped weights (about 30 minutes on two CPU cores):
    ovdistill train-teacher
Accuracy on the objects of a data set's val images (ovdistill make-ovshapes draws it):
    ovdistill train-teacher --evaluate data/ovshapes
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ovdistill.commands.options import CommonOptions, option
from ovdistill.core.assets import TEACHER_DIR


@dataclass(frozen=True, kw_only=True)
class TrainTeacherOptions(CommonOptions):
    """Options of ``ovdistill train-teacher``."""

    out: Path | None = option(None, help="teacher directory (default: the shipped one)")
    steps: int = option(2000, help="optimiser steps (default: %(default)s)")
    batch: int = option(130, help="crops a step, a multiple of 65 (default: %(default)s)")
    seed: int = option(0, help="of images, weights and batches (default: %(default)s)")
    pool: int = option(8000, help="images to draw for training (default: %(default)s)")
    workers: int = option(2, help="processes that draw them (default: %(default)s)")
    evaluate: Path | None = option(
        None, metavar="ROOT", help="only measure, on this data set's val images"
    )


def train_teacher(options: TrainTeacherOptions) -> None:
    """Train a teacher and write it, or print the accuracy of one."""
    out = options.out or TEACHER_DIR
    if options.evaluate:
        from ovdistill.ovshapes.teacher.accuracy import accuracy_table

        print(accuracy_table(out, options.evaluate))
        return
    from ovdistill.ovshapes.teacher import training

    training.train_teacher(
        out, options.steps, options.batch, options.seed, options.pool, options.workers
    )
    print(f"wrote {out}")
