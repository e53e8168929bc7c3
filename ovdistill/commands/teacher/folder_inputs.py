"""The inputs of `ovdistill teacher evaluate --folder`: whole images in a folder for each class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch

from ovdistill.commands.teacher.inputs import (
    RANDOM_NOTE,
    Inputs,
    LabelledImages,
    common_inputs,
)
from ovdistill.commands.teacher.names import encode_vocabulary, load_vocabulary
from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations.class_categories import label_categories
from ovdistill.datasets.class_folders import ClassFolders, read_class_folders, read_class_names
from ovdistill.evaluation.regions.matching import Objects
from ovdistill.evaluation.regions.objects import draw_images
from ovdistill.evaluation.teacher.linear_probe import MOST_OBJECTS
from ovdistill.extraction.images import ImageFile
from ovdistill.teacher import Teacher
from ovdistill.vocabulary import Names

if TYPE_CHECKING:
    from ovdistill.commands.teacher.evaluate import EvaluateOptions

WHOLE_IMAGE = "whole image"  # name of the crop policy
# a box is cut off at the edges of its image, so this one is all of any image
EVERYTHING = torch.tensor([[0.0, 0.0, torch.inf, torch.inf]])


def find_folder_inputs(options: EvaluateOptions, teacher: Teacher) -> Inputs:
    """Read the inputs, and check that they fit each other.

    Args:
        options: of the command, with ``--folder``.
        teacher: the one to measure.

    Raises:
        UserError: folders without images, names that do not fit them, or a vocabulary of another
            teacher or without their names.
    """
    assert options.folder is not None
    found = read_class_folders(options.folder)
    names = read_class_names(found, options.names)
    fitted = read_class_folders(options.train_folder) if options.train_folder else None
    if options.vocabulary:
        vocabulary = load_vocabulary(options.vocabulary, teacher)
    else:
        vocabulary = encode_vocabulary(Names(tuple(names.values())), options, teacher)
    rows = _rows(options, names, vocabulary.names)
    remarks = [RANDOM_NOTE] if teacher.random else []
    measured, remark = _draw(found, rows, options.max_images)
    remarks.append(remark)
    to_fit = None
    if fitted:
        most = min(options.max_images or MOST_OBJECTS, MOST_OBJECTS)
        to_fit, remark = _draw(fitted, rows, most)
        remarks.append(f"for the linear probe: {remark}")
    return Inputs(
        measured=measured,
        fitted=to_fit,
        vocabulary=vocabulary,
        captions={},
        policies={WHOLE_IMAGE: teacher.whole_image},
        ceilings=None,
        remarks=remarks,
        origin=dict(
            folder=str(options.folder),
            train_folder=options.train_folder and str(options.train_folder),
            names=options.names and str(options.names),
        ),
        **common_inputs(options, teacher),
    )


def _rows(
    options: EvaluateOptions, names: Mapping[str, str], vocabulary: tuple[str, ...]
) -> dict[str, int]:
    """Return the row in the vocabulary of each class folder whose name it has.

    Raises:
        UserError: it has fewer than two of the names.
    """
    folders = [*names]
    categories = {name: dict(id=place) for place, name in enumerate(names.values())}
    labels = label_categories(vocabulary, categories, options.vocabulary, options.folder)
    rows = {folders[place]: row for place, row in labels.items()}
    if len(rows) < 2:
        raise UserError(
            f"{options.vocabulary} has the name of one class folder of {options.folder}, "
            f"{[*rows][0]!r:.60}; expected at least two"
        )
    return rows


def _draw(
    found: ClassFolders, rows: Mapping[str, int], most: int | None
) -> tuple[LabelledImages, str]:
    """Return the images to embed, and a sentence that counts them.

    Args:
        found: the class folders.
        rows: row in the vocabulary by class folder.
        most: the largest number of images; None for all.

    Raises:
        UserError: no image has one of the names.
    """
    labelled = [
        (path, rows[folder])
        for folder, images in found.images.items()
        if folder in rows
        for path in images
    ]
    if not labelled:
        raise UserError(
            f"no class folder of {found.folder} (the first: {next(iter(found.images))!r:.60}) is "
            f"one of the {len(rows)} that are measured ({next(iter(rows))!r:.60}, ...)"
        )
    drawn = draw_images(range(len(labelled)), most or len(labelled))
    files = [ImageFile(place, str(labelled[place][0])) for place in drawn]
    objects = {
        place: Objects(EVERYTHING.double(), torch.tensor([labelled[place][1]])) for place in drawn
    }
    return LabelledImages(files, objects), _remark(found, rows, len(drawn), len(labelled))


def _remark(found: ClassFolders, rows: Mapping[str, int], drawn: int, count: int) -> str:
    parts = [f"{drawn} of {count} images in {len(found.images)} class folders of {found.folder}"]
    if found.empty:
        first = found.empty[0]
        parts.append(f"{len(found.empty)} class folders have no image (the first: {first})")
    if unnamed := [folder for folder in found.images if folder not in rows]:
        parts.append(f"{len(unnamed)} are left out, whose name does not compete ({unnamed[0]})")
    if found.others:
        parts.append(f"{found.others} other files are left out")
    return "; ".join(parts)
