r"""Refine a teacher's dense features, so that they agree with its own embeddings of crops.

    ovdistill teacher refine --teacher ViT-B-16-quickgelu:openai --images train2017 -o refined
    ovdistill extract --config vild_r50_lvis --teacher refined --dense-size 1024

No labels are needed (CLIPSelf, Wu et al., arXiv 2310.01403). The folder holds an ordinary teacher
with a name of its own; its texts are those of the teacher that it comes from. After an
interruption, the same command continues where it was.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ovdistill.commands.checks import check_file, check_folder, check_input_stays
from ovdistill.commands.options import option
from ovdistill.commands.teacher_options import (
    TeacherOptions,
    check_teacher_stays,
    teacher_arguments,
)
from ovdistill.core.argument_types import MOST_SEED
from ovdistill.core.errors import UserError

if TYPE_CHECKING:
    from ovdistill.core.teacher_id import TeacherId
    from ovdistill.teacher_training.refine.refiner import Refiner, RefineSettings
    from ovdistill.teacher_training.refine.sources import RefineSource


@dataclass(frozen=True, kw_only=True)
class RefineOptions(TeacherOptions):
    """Options of ``ovdistill teacher refine``."""

    images: Path = option(metavar="DIR", help="folder of images, without labels")
    regions: Path | None = option(
        None,
        metavar="STORE",
        help="regions of the images, embedded by the same teacher from crops: its boxes and "
        "embeddings are taken in place of --boxes",
    )
    annotations: Path | None = option(
        None, metavar="FILE", help="with --regions: file that lists the images with their ids"
    )
    out: Path = option(flags=["-o"], metavar="DIR", help="folder of the teacher", writes="folder")
    name: str | None = option(
        None,
        help="name of the refined teacher (default: the teacher's, '-refined' and a digest of the "
        "weights)",
    )
    steps: int = option(5000, help="optimiser steps", least=1)
    batch: int = option(16, help="images of a step", least=1)
    size: int = option(
        1024, metavar="PIXELS", help="longer side of images for dense features", least=1
    )
    stage: int | None = option(
        None,
        least=1,
        help="refine the regions that `extract --dense-stage STAGE` makes (default: those without)",
    )
    boxes: Literal["grid", "random"] = option(
        "grid", help="where both are compared: cells of random grids, or random boxes"
    )
    lr: float = option(1e-5, help="highest learning rate", least=1e-9)
    seed: int = option(0, help="seed of images and boxes", least=0, most=MOST_SEED)
    checkpoint_every: int = option(500, help="steps between two checkpoints", least=1)
    max_bad_images: int = option(
        0,
        metavar="N",
        least=0,
        help="images that may be missing or damaged; they are skipped, and listed in the folder",
    )


def refine(options: RefineOptions) -> None:
    """Refine the teacher and write it.

    Raises:
        UserError: no such teacher or images, a folder that holds something else, or see
            ``Refiner``.
    """
    check_choices(options)
    arguments = teacher_arguments(options)
    if options.embedding_map or options.adapter:
        given = "--embedding-map" if options.embedding_map else "--adapter"
        raise UserError(
            f"got {given}, which follows the towers; refining changes the image tower itself, so "
            "leave it out"
        )
    arguments.pop("embedding_map", None)  # the config's: its towers are refined
    from ovdistill.core.devices import choose_device
    from ovdistill.core.locks import folder_lock
    from ovdistill.teacher import OpenCLIPTeacher, build_teacher
    from ovdistill.teacher.teacher_folder import is_teacher_file
    from ovdistill.teacher_training.refine.refiner import Refiner

    check_no_teacher(options.out)
    check_teacher_stays(options.out, arguments, is_teacher_file)
    if options.annotations:
        role = "which lists the images"
        check_input_stays(options.out, options.annotations, role, is_teacher_file)
    teacher = build_teacher(arguments, choose_device(options.device))
    if not isinstance(teacher, OpenCLIPTeacher):
        raise UserError(f"teacher {teacher.name!r} is none of open_clip; only those are refined")
    source = find_source(options, teacher.id)
    with folder_lock(options.out, "a refinement"):
        check_no_teacher(options.out)  # another run may have written one meanwhile
        refiner = Refiner(teacher, source, settings_of(options), options.out)
        print(f"{len(source):,} images; {refiner.step} of {options.steps} steps are done")
        refiner.run()
        name = write_teacher(options, refiner)
    last = refiner.losses[-50:]
    if last:
        print(f"1 - cosine of the last {len(last)} steps: {sum(last) / len(last):.4f}")
    print(f"wrote {options.out}: teacher {name!r}")


def write_teacher(options: RefineOptions, refiner: Refiner) -> str:
    """Write the folder of a refined teacher, and return the teacher's name."""
    from ovdistill.teacher.teacher import hash_weights
    from ovdistill.teacher.teacher_folder import config_of_teacher
    from ovdistill.teacher_training.refine.result import write_refined

    plain = refiner.teacher.name.replace(":", "-").replace("/", "-")
    # another refinement gets another name, by which vocabularies and stores are told apart
    name = options.name or f"{plain}-refined-{hash_weights(refiner.model.state_dict())[:6]}"
    config = config_of_teacher(refiner.teacher, name)
    note = replace(config.note, refined_for=refiner.settings.regions)
    write_refined(refiner, replace(config, note=note), options.out)
    return name


def check_no_teacher(folder: Path) -> None:
    """Raise UserError if a folder has a teacher already."""
    from ovdistill.teacher.weights import CONFIG_NAME

    if (folder / CONFIG_NAME).is_file():
        raise UserError(f"{folder} has a teacher already; name another folder with -o")


def check_choices(options: RefineOptions) -> None:
    """Raise UserError for inputs that are missing, or that need each other."""
    check_folder(options.images, "--images")
    if (options.regions is None) != (options.annotations is None):
        raise UserError(
            f"got --regions {options.regions} and --annotations {options.annotations}; expected "
            "both, or neither"
        )
    if options.regions:
        check_folder(options.regions, "--regions")
    check_file(options.annotations, "--annotations")


def settings_of(options: RefineOptions) -> RefineSettings:
    """Return the settings that the options name; what they do not name is CLIPSelf's."""
    from ovdistill.teacher import DenseRegions
    from ovdistill.teacher_training.refine.refiner import RefineSettings
    from ovdistill.teacher_training.settings import TrainingSettings

    training = TrainingSettings(
        steps=options.steps,
        batch=options.batch,
        learning_rate=options.lr,
        seed=options.seed,
        checkpoint_every=options.checkpoint_every,
        max_bad_images=options.max_bad_images,
        warm_up=min(500, options.steps // 10),
        half_weights=False,
    )
    return RefineSettings(training, DenseRegions(options.size, options.stage))


def find_source(options: RefineOptions, teacher: TeacherId) -> RefineSource:
    """Return the images and boxes that the options name.

    Args:
        options: of the command.
        teacher: that is refined.

    Raises:
        UserError: no images, or see ``StoredRegions`` and ``read_annotations``.
    """
    from ovdistill.core.image_folders import list_folder
    from ovdistill.datasets.annotations import read_annotations
    from ovdistill.datasets.annotations.stored_images import stored_images
    from ovdistill.store import TeacherStore
    from ovdistill.store.same_images import check_same_images
    from ovdistill.teacher_training.refine.sources import StoredRegions, UnlabelledImages

    if options.regions is None:
        return UnlabelledImages(list_folder(options.images).images, options.boxes)
    assert options.annotations is not None  # see check_choices
    images = read_annotations(options.annotations, warn=False).images
    files = {
        image["id"]: (options.images / image["file_name"], (image["height"], image["width"]))
        for image in images
    }
    store = TeacherStore(options.regions)
    check_same_images(store, stored_images(images), options.annotations)
    return StoredRegions(store, files, teacher)
