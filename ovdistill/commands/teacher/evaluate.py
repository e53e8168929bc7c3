r"""Measure a teacher on labelled images before anything is trained with it.

    ovdistill teacher evaluate --config best_r18_shapes -o out
    ovdistill teacher evaluate --teacher ViT-B-32-quickgelu:openai --annotations instances.json \
        --images val2017 --novel "cat, dog" --captions captions.json --max-images 1000 -o out
    ovdistill teacher evaluate --teacher ViT-B-32-quickgelu:openai --folder imagenet/val \
        --names imagenet.csv --train-folder imagenet/train -o out
    ovdistill teacher evaluate --segmentation --config lseg_r18_shapes -o out

Prints zero-shot accuracy on true boxes for each way to crop, a linear probe, retrieval with
captions, the modality gap, and the AP that a student can hope for. --folder measures whole images
in a folder for each class: zero-shot accuracy, a linear probe and the gap. --segmentation names
each pixel, and measures IoU against label maps. -o writes teacher.json and teacher.md.
docs/teacher_evaluation.md says what each figure means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from ovdistill.commands.checks import check_file, check_folder
from ovdistill.commands.options import flag, option
from ovdistill.commands.teacher.measuring_options import MeasuringOptions
from ovdistill.commands.teacher.pixel_options import PixelOptions
from ovdistill.commands.teacher_options import load_teacher
from ovdistill.core.argument_types import MOST_SEED
from ovdistill.core.errors import UserError

# options that only some kinds of measurements have
OF_BOXES = "annotations captions regions crops temperature protocol allow_outside_images".split()
OF_FOLDERS = "names train_folder".split()
OF_OBJECTS = "no_probe seed batch_size workers".split()  # of boxes and of folders
OF_PIXELS = "label_maps label_table dense_size dense_scale denoise smooth per_class".split()
ONE_KIND = "the options of one kind of measurement: true boxes, --folder or --segmentation"


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(PixelOptions, MeasuringOptions):
    """Options of ``ovdistill teacher evaluate``."""

    annotations: Path | None = option(
        None, metavar="FILE", help="COCO or LVIS file of all classes (default: the config's)"
    )
    images: Path | None = option(
        None,
        metavar="DIR",
        help="folder of its images, or of those of --label-maps (default: the config's)",
    )
    folder: Path | None = option(
        None, metavar="DIR", help="measure whole images, in a folder of DIR for each class"
    )
    names: Path | None = option(
        None,
        metavar="FILE",
        help="class names of the folders: a table with the columns folder and name, or one name a "
        "line in the folders' order (default: what the folders are called)",
    )
    train_folder: Path | None = option(
        None,
        metavar="DIR",
        help="fit the linear probe to these class folders (default: to some of the images)",
    )
    subset: Literal["train", "val", "test"] = option("val", help="images of the config to take")
    vocabulary: Path | None = option(
        None,
        metavar="FILE",
        help="class names, split and text embeddings (default: the config's; without a config the "
        "categories of the file, or the folders, are encoded)",
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
        help="ways to crop, such as clip:1 square:1+1.5, dense:PIXELS or dense:PIXELS:STAGE for "
        "one pass over the image, or 'own', the teacher's; all other figures are of the first "
        "(default: own and six more)",
    )
    temperature: float | None = option(
        None, help="divisor of cosines in the ceilings (default: the teacher's)", least=1e-6
    )
    max_images: int | None = option(
        None, help="images to take, of each folder, drawn always alike (default: all)", least=1
    )
    no_probe: bool = flag(help="leave out the linear probe, which takes minutes with 1203 classes")
    seed: int = option(0, help="seed of the parts of the probe", least=0, most=MOST_SEED)
    protocol: Literal["coco", "lvis"] | None = option(
        None, help="of the ceilings (default: lvis where the file has its fields)"
    )
    allow_outside_images: bool = flag(
        help="take file names that are absolute or lead out of the image folder"
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
    from ovdistill.commands.teacher.output import write_figures
    from ovdistill.commands.teacher.pixel_report import report_on_pixels
    from ovdistill.commands.teacher.report import report_on_objects

    teacher = load_teacher(options)
    measure = report_on_pixels if options.segmentation else report_on_objects
    report = measure(options, teacher)
    print_lines([f"teacher {teacher.id}", *report.remarks, ""])
    for table in report.tables:
        table.show()
    print_lines(report.lines)
    if options.out:
        print_lines(f"wrote {path}" for path in write_figures(options, report, teacher))


def check_choices(options: EvaluateOptions) -> None:
    """Raise UserError for inputs that are missing, or that exclude each other."""
    options.check_teacher()
    _check_kind(options)
    _check_data(options)
    for path, name in (
        (options.annotations, "--annotations"),
        (options.vocabulary, "--vocabulary"),
        (options.captions, "--captions"),
        (options.names, "--names"),
    ):
        check_file(path, name)
    for path, name in (
        (options.images, "--images"),
        (options.regions, "--regions"),
        (options.folder, "--folder"),
        (options.train_folder, "--train-folder"),
        (options.label_maps, "--label-maps"),
    ):
        if path:
            check_folder(path, name)
    if options.vocabulary and (options.templates or options.split):
        raise UserError(
            "got --vocabulary and --templates or --split; expected one: a vocabulary has its "
            "embeddings and its split"
        )


def _check_kind(options: EvaluateOptions) -> None:
    """Raise UserError for options of another kind of measurement than the one that is chosen."""
    if options.segmentation and options.folder:
        raise UserError("got --segmentation and --folder; expected one of them")
    if options.segmentation:
        _refuse(options, [*OF_BOXES, *OF_FOLDERS, *OF_OBJECTS], "with --segmentation")
    else:
        _refuse(options, OF_PIXELS, "without --segmentation")
        if options.folder:
            _refuse(options, [*OF_BOXES, "images", "subset"], "with --folder")
        else:
            _refuse(options, OF_FOLDERS, "without --folder")
    if options.train_folder and options.no_probe:
        raise UserError("got --train-folder and --no-probe; expected one of them")
    if options.dense_size and options.dense_scale:
        raise UserError("got --dense-size and --dense-scale; expected one of them")


def _refuse(
    options: EvaluateOptions, names: Sequence[str], where: str, expected: str = ONE_KIND
) -> None:
    """Raise UserError for those of these options that were given."""
    defaults = {field.name: field.default for field in fields(options)}
    given = [name for name in names if getattr(options, name) != defaults[name]]
    if given:
        words = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise UserError(f"got {words} {where}; expected {expected}")


def _check_data(options: EvaluateOptions) -> None:
    """Raise UserError unless the data come from options or from the config."""
    folders = options.folder, options.train_folder
    if folders[0] and folders[1] and folders[0].resolve() == folders[1].resolve():
        raise UserError(
            f"got {folders[0]} for --folder and --train-folder; expected folders of other images"
        )
    if options.folder:
        return
    names = ["annotations", "images"]
    if options.segmentation:
        names = ["label_maps", "label_table", "images"]
    given = {f"--{name.replace('_', '-')}": getattr(options, name) for name in names}
    if not all(given.values()) and (any(given.values()) or not options.config):
        got = ", ".join(f"{name} {value}" for name, value in given.items())
        count, more = ("all three", "") if options.segmentation else ("both", ", or --folder")
        raise UserError(f"got {got}; expected {count}, or a --config that has the data{more}")
    if all(given.values()):
        _refuse(options, ["subset"], f"with {', '.join(given)}", "it with the config's data alone")
