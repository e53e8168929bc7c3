"""Train the embedded benchmark's small CLIP teacher, or measure one.

Train and replace the shipped weights (about 30 minutes on two CPU cores):
    ovdistill train-teacher
Accuracy on the objects of a data set's val images (ovdistill make-ovshapes draws it):
    ovdistill train-teacher --evaluate data/ovshapes --embedding-map ovshapes-clip
Make the maps that give the shipped teacher CLIP's geometry (docs/geometry.md):
    ovdistill train-teacher --make-geometry
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ovdistill.commands.options import MOST_SEED, CommonOptions, flag, option
from ovdistill.core.assets import EMBEDDING_MAPS, TEACHER_DIR
from ovdistill.core.files import check_output_folder


@dataclass(frozen=True, kw_only=True)
class TrainTeacherOptions(CommonOptions):
    """Options of ``ovdistill train-teacher``."""

    out: Path | None = option(
        None, help="folder of the teacher (default: the shipped one)", metavar="DIR"
    )
    steps: int = option(2000, help="optimiser steps", least=1)
    batch: int = option(130, help="crops a step, a multiple of 65", least=1)
    seed: int = option(
        0, help="random seed of images, weights and batches", least=0, most=MOST_SEED
    )
    pool: int = option(8000, help="images to draw for training", least=1)
    workers: int = option(2, help="processes that draw them", least=1)
    evaluate: Path | None = option(
        None, metavar="ROOT", help="only measure accuracy, on the val images of this data set"
    )
    embedding_map: tuple[str, ...] = option(
        (),
        metavar="MAP",
        help="with --evaluate: maps behind the teacher, one after another, see docs/geometry.md",
    )
    make_geometry: bool = flag(
        help="train nothing, write the maps that give the teacher CLIP's geometry"
    )


def train_teacher(options: TrainTeacherOptions) -> None:
    """Train a teacher and write it, or print the accuracy of one.

    Raises:
        UserError: no data set or no teacher to measure.
    """
    out = options.out or TEACHER_DIR
    if options.evaluate:
        from ovdistill.ovshapes.teacher.accuracy import accuracy_table

        print(accuracy_table(out, options.evaluate, options.embedding_map))
        return
    if options.make_geometry:
        from ovdistill.ovshapes.teacher.clip_geometry import build_clip_geometry
        from ovdistill.teacher import OpenCLIPTeacher

        teacher = OpenCLIPTeacher(str(out))
        for name in ("ovshapes-clip", "ovshapes-weak"):
            path = EMBEDDING_MAPS[name]
            target = path if options.out is None else out / path.name
            build_clip_geometry(teacher, weak=name == "ovshapes-weak").save(target)
            print(f"wrote {target}")
        return
    check_output_folder(out)
    from ovdistill.ovshapes.teacher import training

    training.train_teacher(
        out, options.steps, options.batch, options.seed, options.pool, options.workers
    )
    print(f"wrote {out}")
