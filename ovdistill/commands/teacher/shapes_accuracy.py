"""Measure a teacher of the embedded benchmark on the objects of the val images.

    ovdistill teacher shapes-accuracy data/ovshapes
    ovdistill teacher shapes-accuracy data/ovshapes --embedding-map ovshapes-clip
    ovdistill teacher shapes-accuracy data/ovshapes --folder work_dirs/teacher_shapes

`ovdistill make-ovshapes` draws the data. Prints top-1 accuracy of base and novel classes of each
split, with and without colours, on true and on jittered boxes, and the mean cosines.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ovdistill.commands.options import CommonOptions, argument, option
from ovdistill.core.assets import TEACHER_DIR


@dataclass(frozen=True, kw_only=True)
class ShapesAccuracyOptions(CommonOptions):
    """Options of ``ovdistill teacher shapes-accuracy``."""

    data_root: Path = argument("folder of an OVShapes data set")
    folder: Path | None = option(
        None, help="folder of the teacher (default: the shipped one)", metavar="DIR"
    )
    embedding_map: tuple[str, ...] = option(
        (),
        metavar="MAP",
        help="maps behind the teacher, one after another, see docs/geometry.md",
    )


def shapes_accuracy(options: ShapesAccuracyOptions) -> None:
    """Print the accuracy of a teacher.

    Raises:
        UserError: no data set or no teacher to measure.
    """
    from ovdistill.ovshapes.teacher.accuracy import accuracy_table

    print(accuracy_table(options.folder or TEACHER_DIR, options.data_root, options.embedding_map))
