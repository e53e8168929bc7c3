"""Tune the teacher's weights, whole or in low rank (LoRA), averaged with what they were (WiSE-FT).

    ovdistill teacher adapt fine-tune --config vild_r18_shapes --cfg-options geometry=plain \
        --lr 3e-4 --average 0.5 -o tuned
    ovdistill teacher adapt fine-tune --config vild_r18_shapes --cfg-options geometry=plain \
        --lora 4 --lr 3e-3 --average 1 -o tuned
    ovdistill train vild_r18_shapes --cfg-options geometry=plain teacher.model=tuned \
        vocabulary=work_dirs/tuned/vocabulary.safetensors regions=work_dirs/tuned/regions \
        model.roi_head.bbox_head.cls_predictor_cfg.temperature=0.07

The teacher must have no map and no adapter behind it (geometry=plain on OVShapes). That small one
takes ten times the learning rate of a pretrained CLIP; a recipe with one of those also needs
teacher.pretrained=None.

The result is a folder that every command takes as a teacher. A run also measures other averages,
from 0.25 to 1 (docs/teacher_adaptation.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ovdistill.commands.options import option
from ovdistill.commands.teacher.adapt.options import AdaptOptions


@dataclass(frozen=True, kw_only=True)
class FineTuneOptions(AdaptOptions):
    """Options of ``ovdistill teacher adapt fine-tune``."""

    rank: int | None = option(
        None,
        flags=["--lora"],
        metavar="RANK",
        help="change weights in this rank (default: whole)",
        least=1,
    )
    towers: Literal["image", "both"] | None = option(
        None, help="what is tuned (default: image, and the text tower stays)"
    )
    average: float | None = option(
        None,
        metavar="SHARE",
        help="share of the tuned weights in the result, 1 for them alone (default: 0.5)",
        least=0,
        most=1,
    )
    weight_decay: float | None = option(None, help="of AdamW (default: 0.1)", least=0)
    out: Path = option(flags=["-o"], help="folder to write", metavar="DIR", writes="folder")


def fine_tune(options: FineTuneOptions) -> None:
    """Fine-tune a teacher.

    Raises:
        UserError: see ``adapt``.
    """
    options.check()
    from ovdistill.commands.teacher.adapt.run import adapt
    from ovdistill.teacher.teacher_folder import check_teacher_folder
    from ovdistill.teacher_training.adapt.fine_tune import FineTuneMethod

    check_teacher_folder(options.out)  # before minutes of learning
    adapt(options, options.method(FineTuneMethod))
