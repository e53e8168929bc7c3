"""The inputs of `ovdistill teacher evaluate` on true boxes: its options', else the config's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ovdistill.commands.teacher.crops import crop_policies
from ovdistill.commands.teacher.inputs import (
    RANDOM_NOTE,
    CeilingInputs,
    Inputs,
    LabelledImages,
    common_inputs,
)
from ovdistill.commands.teacher.names import find_vocabulary, objects_remark
from ovdistill.core.errors import UserError
from ovdistill.core.files import sha256_of
from ovdistill.datasets.annotations import Annotations, read_annotations
from ovdistill.datasets.annotations.captions import ImageNames, read_captions
from ovdistill.datasets.annotations.class_categories import find_categories, label_categories
from ovdistill.evaluation.regions.objects import draw_images, labelled_objects, shared_images
from ovdistill.extraction.images import ImageFile, check_some_are_there
from ovdistill.store import TeacherStore
from ovdistill.teacher import Teacher

if TYPE_CHECKING:
    from mmengine.config import Config

    from ovdistill.commands.teacher.evaluate import EvaluateOptions


def find_box_inputs(options: EvaluateOptions, teacher: Teacher) -> Inputs:
    """Read the inputs, and check that they fit each other.

    Args:
        options: of the command.
        teacher: the one to measure.

    Raises:
        UserError: a file that cannot be read, a vocabulary or a store of another teacher or of
            other images, no common class, or no box or caption of the images.
    """
    policies = crop_policies(options.crops, teacher.crops)
    store = _open_store(options.regions, teacher)
    config, path, folder = _sources(options)
    found = read_annotations(path, allow_outside_images=options.allow_outside_images)
    files = _draw_files(found, folder, options.max_images)
    drawn = [file.image_id for file in files]
    if store is not None:
        _check_overlap(store, found, drawn)
    vocabulary = find_vocabulary(options, config, found, teacher)
    named = options.vocabulary or options.config
    labels = label_categories(vocabulary.names, found.categories, named, path)
    objects = {image_id: labelled_objects(found, labels, image_id) for image_id in drawn}
    remarks = [RANDOM_NOTE] if teacher.random else []
    remarks.append(objects_remark(found, vocabulary, objects))
    captions, remark = _read_captions(options.captions, drawn, found)
    return Inputs(
        measured=LabelledImages(files, objects),
        fitted=None,
        vocabulary=vocabulary,
        captions=captions,
        policies=policies,
        ceilings=CeilingInputs(
            found=found,
            cat_ids=find_categories(vocabulary.names, found.categories),
            store=store,
            protocol=options.protocol or ("lvis" if found.is_lvis else "coco"),
            temperature=options.temperature or teacher.temperature,
        ),
        remarks=remarks + remark,
        origin=_origin(options, found, store),
        **common_inputs(options, teacher),
    )


def _origin(
    options: EvaluateOptions, found: Annotations, store: TeacherStore | None
) -> dict[str, str | None]:
    """Return where the objects, captions and regions come from."""
    captions = options.captions
    return dict(
        annotations=str(found.path),
        annotations_sha256=sha256_of(found.path),
        captions=None if captions is None else str(captions),
        captions_sha256=None if captions is None else sha256_of(captions),
        regions=None if store is None else str(store.folder),
    )


def _sources(options: EvaluateOptions) -> tuple[Config | None, Path, Path]:
    """Return the config, if there is one, the annotation file, and the folder of its images."""
    if options.config is None:
        assert options.annotations and options.images  # see check_choices
        return None, options.annotations, options.images
    from ovdistill.extraction.config_inputs import subset_files
    from ovdistill.extraction.prepare import prepare_data, run_step
    from ovdistill.models.config import load_config

    config = load_config(options.config, options.overrides)
    if options.annotations and options.images:
        return config, options.annotations, options.images
    run_step(config, "data", prepare_data)
    return config, *subset_files(config, options.subset)


def _open_store(folder: Path | None, teacher: Teacher) -> TeacherStore | None:
    if folder is None:
        return None
    store = TeacherStore(folder)
    if not store.teacher.is_same(teacher.id):
        raise UserError(
            f"--regions {folder} is of teacher {store.teacher}; got teacher {teacher.id}; "
            "expected the same"
        )
    return store


def _check_overlap(store: TeacherStore, found: Annotations, drawn: Sequence[int]) -> None:
    """Raise UserError if a store has none of the drawn images."""
    if not {*drawn} & {*shared_images(store, found)}:
        raise UserError(
            f"store {store.folder} has none of the {len(drawn)} images that were drawn; expected "
            "regions of these (with a config, the regions of a training are of --subset train)"
        )


def _read_captions(
    path: Path | None, drawn: Sequence[int], found: Annotations
) -> tuple[dict[int, list[str]], list[str]]:
    """Return the captions of the drawn images by id, and sentences on what is left out.

    Raises:
        UserError: no caption is of these images, or see ``read_captions``.
    """
    if path is None:
        return {}, []
    captions = read_captions(path, ImageNames.of_records(found.path, found.images))
    known = {image["id"] for image in found.images}
    missing = captions.keys() - known
    kept = {image_id: captions[image_id] for image_id in drawn if captions.get(image_id)}
    if not kept:
        raise UserError(
            f"none of the {len(captions)} images with captions in {path} is among the "
            f"{len(drawn)} images of {found.path}; expected captions of the same images"
        )
    remarks = [f"captions of {len(kept)} of these images"]
    if missing:
        remarks.append(
            f"{sum(len(captions[key]) for key in missing)} captions of {len(missing)} images that "
            f"are not in {found.path} are left out"
        )
    return kept, remarks


def _draw_files(found: Annotations, folder: Path, most: int | None) -> list[ImageFile]:
    """Return the images to measure, in the order of the file.

    Raises:
        UserError: there is none, or the first ones are not in the folder.
    """
    records = {image["id"]: image for image in found.images}
    drawn = [records[key] for key in draw_images([*records], most or len(records))]
    files = [
        ImageFile(image["id"], str(folder / image["file_name"]), (image["height"], image["width"]))
        for image in drawn
    ]
    check_some_are_there(files)
    return files
