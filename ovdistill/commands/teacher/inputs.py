"""The inputs of `ovdistill teacher evaluate`: from its options, else from the config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ovdistill.commands.teacher.crops import crop_policies
from ovdistill.commands.teacher.names import find_vocabulary
from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations import Annotations, read_annotations, read_captions
from ovdistill.datasets.class_categories import find_categories, label_categories
from ovdistill.evaluation.regions.matching import Objects
from ovdistill.evaluation.regions.objects import draw_images, labelled_objects
from ovdistill.extraction.images import ImageFile, check_some_are_there
from ovdistill.store import TeacherStore
from ovdistill.teacher import RegionPolicy, Teacher
from ovdistill.vocabulary import Vocabulary

if TYPE_CHECKING:
    from mmengine.config import Config

    from ovdistill.commands.teacher.evaluate import EvaluateOptions

RANDOM_NOTE = "RANDOM TEACHER WEIGHTS: the figures mean nothing, this is a test of the code"


@dataclass(frozen=True, eq=False)
class Inputs:
    """What is measured, and how.

    Attributes:
        found: the annotation file.
        files: the images that were drawn.
        objects: their labelled objects, by image id.
        vocabulary: W class names with text embeddings.
        cat_ids: category id of each name; None for a name that the file does not have.
        captions: of the images, by image id; empty without captions.
        policies: ways to crop, by name.
        store: regions for the ceiling with real proposals, or None.
        protocol: 'lvis' or 'coco', of the ceilings.
        temperature: divisor of cosines in the ceilings.
        seed: of the parts of the probe; None leaves it out.
        batch_size: crops in a forward pass.
        workers: processes that read images.
        remarks: sentences on what is measured and what is left out.
    """

    found: Annotations
    files: Sequence[ImageFile]
    objects: Mapping[int, Objects]
    vocabulary: Vocabulary
    cat_ids: Sequence[int | None]
    captions: Mapping[int, Sequence[str]]
    policies: Mapping[str, RegionPolicy]
    store: TeacherStore | None
    protocol: str
    temperature: float
    seed: int | None
    batch_size: int
    workers: int
    remarks: Sequence[str]


def find_inputs(options: EvaluateOptions, teacher: Teacher) -> Inputs:
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
    vocabulary = find_vocabulary(options, config, found, teacher)
    named = options.vocabulary or options.config
    labels = label_categories(vocabulary.names, found.categories, named, path)
    objects = {image_id: labelled_objects(found, labels, image_id) for image_id in drawn}
    remarks = [RANDOM_NOTE] if teacher.random else []
    remarks.append(_objects_remark(found, vocabulary, objects))
    captions, remark = _read_captions(options.captions, drawn, found)
    on_cpu = teacher.device.type == "cpu"
    default_workers = 1 if on_cpu else 4
    return Inputs(
        found=found,
        files=files,
        objects=objects,
        vocabulary=vocabulary,
        cat_ids=find_categories(vocabulary.names, found.categories),
        captions=captions,
        policies=policies,
        store=store,
        protocol=options.protocol or ("lvis" if found.is_lvis else "coco"),
        temperature=options.temperature or teacher.temperature,
        seed=None if options.no_probe else options.seed,
        batch_size=options.batch_size or (64 if on_cpu else 512),
        workers=default_workers if options.workers is None else options.workers,
        remarks=remarks + remark,
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


def _objects_remark(
    found: Annotations, vocabulary: Vocabulary, objects: Mapping[int, Objects]
) -> str:
    """Return a sentence that counts images and objects.

    Raises:
        UserError: there is no object.
    """
    kept = sum(len(own.labels) for own in objects.values())
    there = sum(len(found.by_image.get(image_id, ())) for image_id in objects)
    if not kept:
        raise UserError(
            f"no object to measure: {len(objects)} images of {found.path} have {there} "
            f"annotations, none of them a box of the {len(vocabulary)} class names (the first: "
            f"{vocabulary.names[0]!r}) that is no crowd and at least a pixel wide and high"
        )
    left = there - kept
    rest = f"; {left} left out: crowds, thin boxes, or classes without a name" if left else ""
    return f"{len(objects)} of {len(found.images)} images of {found.path}, {kept} objects{rest}"


def _read_captions(
    path: Path | None, drawn: Sequence[int], found: Annotations
) -> tuple[dict[int, list[str]], list[str]]:
    """Return the captions of the drawn images by id, and sentences on what is left out.

    Raises:
        UserError: no caption is of these images, or see ``read_captions``.
    """
    if path is None:
        return {}, []
    captions = read_captions(path)
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
