r"""Measure a teacher on labelled images before anything is trained with it.

    ovdistill teacher evaluate --config best_r18_shapes -o out
    ovdistill teacher evaluate --teacher ViT-B-32-quickgelu:openai --annotations instances.json \
        --images val2017 --novel "cat, dog" --captions captions.json --max-images 1000 -o out

Prints zero-shot accuracy on true boxes for each way to crop, a linear probe, retrieval with
captions, the modality gap, and the AP that a student can hope for; -o writes teacher.json and
teacher.md. docs/teacher_evaluation.md says what each figure means.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ovdistill.commands.checks import check_file, check_folder
from ovdistill.commands.options import MOST_SEED, flag, option
from ovdistill.commands.teacher_options import TeacherOptions, load_teacher
from ovdistill.core.errors import UserError


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(TeacherOptions):
    """Options of ``ovdistill teacher evaluate``."""

    annotations: Path | None = option(
        None, metavar="FILE", help="COCO or LVIS file of all classes (default: the config's)"
    )
    images: Path | None = option(
        None, metavar="DIR", help="folder of its images (default: the config's)"
    )
    subset: Literal["train", "val", "test"] = option("val", help="images of the config to take")
    vocabulary: Path | None = option(
        None,
        metavar="FILE",
        help="class names, split and text embeddings (default: the config's; without a config the "
        "categories of the file are encoded)",
    )
    templates: str | None = option(
        None, help="encode the names with these prompts: single, vild63, or a file"
    )
    split: str | None = option(
        None,
        flags=["--novel"],
        help="where names are encoded: lvis, coco, none, a split of OVShapes, or the novel names",
    )
    captions: Path | None = option(
        None, metavar="FILE", help="captions in COCO's format, to measure retrieval"
    )
    regions: Path | None = option(
        None, metavar="STORE", help="regions of these images, for the ceiling with real proposals"
    )
    crops: tuple[str, ...] = option(
        (),
        metavar="SHAPE:SCALES",
        help="ways to crop, such as clip:1 square:1+1.5, dense:PIXELS for one pass over the image, "
        "or 'own', the teacher's; all other figures are of the first (default: own and six more)",
    )
    temperature: float | None = option(
        None, help="divisor of cosines in the ceilings (default: the teacher's)", least=1e-6
    )
    max_images: int | None = option(None, help="images to take, drawn always alike", least=1)
    no_probe: bool = flag(help="leave out the linear probe, which takes minutes with 1203 classes")
    seed: int = option(0, help="seed of the parts of the probe", least=0, most=MOST_SEED)
    protocol: Literal["coco", "lvis"] | None = option(
        None, help="of the ceilings (default: lvis where the file has its fields)"
    )
    allow_outside_images: bool = flag(
        help="take file names that are absolute or lead out of the image folder"
    )
    batch_size: int | None = option(
        None, help="crops in a forward pass (default: 64 on a CPU, 512 on a GPU)", least=1
    )
    workers: int | None = option(
        None, help="processes that read images (default: 1 on a CPU, else 4)", least=0
    )
    out: Path | None = option(
        None, flags=["-o"], metavar="DIR", help="folder of teacher.json and .md", writes="folder"
    )


def evaluate(options: EvaluateOptions) -> None:
    """Measure the teacher, print tables, and write them.

    Raises:
        UserError: an input that is missing or does not fit another, or no object to measure.
    """
    check_choices(options)
    from ovdistill.commands.printing import print_lines
    from ovdistill.commands.teacher.inputs import find_inputs
    from ovdistill.commands.teacher.measure import measure_teacher
    from ovdistill.commands.teacher.output import write_figures
    from ovdistill.evaluation.teacher.tables import closing_lines, tables

    teacher = load_teacher(options)
    inputs = find_inputs(options, teacher)
    figures = measure_teacher(inputs, teacher)
    print_lines([f"teacher {teacher.id}", *inputs.remarks, ""])
    for table in tables(figures):
        table.show()
    print_lines(closing_lines(figures))
    if options.out:
        print_lines(f"wrote {path}" for path in write_figures(options, figures, inputs, teacher))


def check_choices(options: EvaluateOptions) -> None:
    """Raise UserError for inputs that are missing, or that exclude each other."""
    options.check_teacher()
    own = options.annotations and options.images
    if not own and (options.annotations or options.images or not options.config):
        raise UserError(
            f"got --annotations {options.annotations} and --images {options.images}; expected "
            "both, or a --config that has both"
        )
    for path, name in (
        (options.annotations, "--annotations"),
        (options.vocabulary, "--vocabulary"),
        (options.captions, "--captions"),
    ):
        check_file(path, name)
    for path, name in ((options.images, "--images"), (options.regions, "--regions")):
        if path:
            check_folder(path, name)
    if options.vocabulary and (options.templates or options.split):
        raise UserError(
            "got --vocabulary and --templates or --split; expected one: a vocabulary has its "
            "embeddings and its split"
        )
