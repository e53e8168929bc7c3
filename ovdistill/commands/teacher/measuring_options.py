"""The options of commands that cut labelled boxes out of images and name them by a teacher."""

from __future__ import annotations

from dataclasses import dataclass

from ovdistill.commands.options import option
from ovdistill.commands.teacher_options import TeacherOptions


@dataclass(frozen=True, kw_only=True)
class MeasuringOptions(TeacherOptions):
    """How names are encoded, and how fast crops are."""

    templates: str | None = option(
        None,
        help="encode the names with these prompts: single, vild63, detpro74, or a file (default: "
        "the config's, else single)",
    )
    split: str | None = option(
        None,
        flags=["--novel"],
        help="where names are encoded: lvis, coco, voc-15, stuff-156, shape, compositional, none, "
        "or the novel names",
    )
    batch_size: int | None = option(
        None, help="crops in a forward pass (default: 64 on a CPU, 512 on a GPU)", least=1
    )
    workers: int | None = option(
        None, help="processes that read images (default: 1 on a CPU, else 4)", least=0
    )
