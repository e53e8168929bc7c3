"""Make the maps that give the embedded benchmark's teacher CLIP's geometry.

    ovdistill teacher shapes-geometry -o maps
    ovdistill teacher shapes-geometry -o maps --folder work_dirs/teacher_shapes

docs/geometry.md describes them. Those that ship are in ovdistill/assets.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ovdistill.commands.options import CommonOptions, option
from ovdistill.core.assets import EMBEDDING_MAPS, TEACHER_DIR


@dataclass(frozen=True, kw_only=True)
class ShapesGeometryOptions(CommonOptions):
    """Options of ``ovdistill teacher shapes-geometry``."""

    out: Path = option(flags=["-o"], help="folder of the maps", metavar="DIR", writes="folder")
    folder: Path | None = option(
        None, help="folder of the teacher (default: the shipped one)", metavar="DIR"
    )


def shapes_geometry(options: ShapesGeometryOptions) -> None:
    """Write the maps.

    Raises:
        UserError: no such teacher.
    """
    from ovdistill.ovshapes.teacher.clip_geometry import build_clip_geometry
    from ovdistill.teacher import OpenCLIPTeacher

    teacher = OpenCLIPTeacher(str(options.folder or TEACHER_DIR))
    for name in ("ovshapes-clip", "ovshapes-weak"):
        target = options.out / EMBEDDING_MAPS[name].name
        build_clip_geometry(teacher, weak=name == "ovshapes-weak").save(target)
        print(f"wrote {target}")
