"""What an adaptation learns from and is measured on, from options, else from the config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from ovdistill.commands.checks import check_input_stays
from ovdistill.commands.teacher.adapt.options import AdaptOptions
from ovdistill.commands.teacher.names import find_vocabulary, objects_remark
from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations import Annotations, read_annotations
from ovdistill.datasets.annotations.class_categories import label_categories
from ovdistill.evaluation.regions.matching import Objects
from ovdistill.evaluation.regions.objects import draw_images, labelled_objects
from ovdistill.evaluation.teacher.objects import TrueObjects
from ovdistill.extraction.encode_objects import encode_objects
from ovdistill.extraction.images import ImageFile, check_some_are_there
from ovdistill.teacher import Teacher
from ovdistill.vocabulary import Vocabulary

if TYPE_CHECKING:
    from mmengine.config import Config


@dataclass(frozen=True, eq=False)
class ObjectFile:
    """Images with labelled objects.

    Attributes:
        found: the annotation file.
        files: its images, or those that were drawn.
        objects: their labelled objects of the vocabulary's classes, by image id; to learn from
            without labels those of all classes, with labels of no meaning.
    """

    found: Annotations
    files: Sequence[ImageFile]
    objects: Mapping[int, Objects]

    def only(self, objects: Mapping[int, Objects]) -> ObjectFile:
        """Return some of the objects, and the images that have one."""
        kept = {key: own for key, own in objects.items() if len(own.labels)}
        return ObjectFile(self.found, [f for f in self.files if f.image_id in kept], kept)


@dataclass(frozen=True, eq=False)
class AdaptInputs:
    """What is read before anything is embedded.

    Attributes:
        vocabulary: class names with the teacher's text embeddings.
        annotations: the file to learn from.
        train: its images and objects; None where regions of stores are learned from.
        test: images and objects to measure on.
        batch_size: crops in a forward pass.
        workers: processes that read images.
    """

    vocabulary: Vocabulary
    annotations: Path
    train: ObjectFile | None
    test: ObjectFile
    batch_size: int
    workers: int

    @property
    def remarks(self) -> list[str]:
        """Sentences on how many objects are taken and how many are left out."""
        files = [file for file in (self.train, self.test) if file is not None]
        return [objects_remark(file.found, self.vocabulary, file.objects) for file in files]


def check_inputs(options: AdaptOptions) -> None:
    """Check the files of options and config, before a teacher is loaded.

    Args:
        options: of the command, checked.

    Raises:
        UserError: a config without images, the same file to learn from and to measure on, or a
            vocabulary that the result would replace.
    """
    config = _load_config(options)
    names = options.vocabulary or (None if config is None else config.get("vocabulary"))
    if names:
        check_input_stays(options.out, Path(names), "which has the class names")
    learned, _ = _files(config, "train", options.annotations, options.images)
    measured, _ = _files(config, "val", options.test_annotations, options.test_images)
    options.check_other_images(learned, measured)


def find_inputs(options: AdaptOptions, teacher: Teacher) -> AdaptInputs:
    """Read names, annotations and lists of images.

    Args:
        options: of the command, see ``check_inputs``.
        teacher: the one to adapt.

    Raises:
        UserError: a file that cannot be read, a vocabulary of another teacher, no base class, or no
            object of its classes.
    """
    config = _load_config(options)
    if config is not None and not (options.annotations and options.test_annotations):
        from ovdistill.extraction.prepare import prepare_data, run_step

        run_step(config, "data", prepare_data)
    annotations, images = _files(config, "train", options.annotations, options.images)
    test_annotations, test_images = _files(
        config, "val", options.test_annotations, options.test_images
    )
    test = read_annotations(test_annotations)
    vocabulary = find_vocabulary(options, config, test, teacher)
    if not vocabulary.is_base.any():
        raise UserError("all class names are novel; expected base classes to learn from")
    named = options.vocabulary or options.config
    train = None
    if not options.store:
        found, labelled = read_annotations(annotations), not options.unsupervised
        train = _objects(found, images, vocabulary, named, labelled=labelled)
    on_cpu = teacher.device.type == "cpu"
    default_workers = 1 if on_cpu else 4
    return AdaptInputs(
        vocabulary=vocabulary,
        annotations=annotations,
        train=train,
        test=_objects(test, test_images, vocabulary, named, options.max_test_images),
        batch_size=options.batch_size or (64 if on_cpu else 512),
        workers=default_workers if options.workers is None else options.workers,
    )


def encode(objects: ObjectFile, teacher: Teacher, inputs: AdaptInputs) -> TrueObjects:
    """Embed objects with the teacher's own crops.

    Args:
        objects: the objects.
        teacher: embeds them.
        inputs: batch size and workers are used.

    Raises:
        UserError: no image can be read.
    """
    policies = {"own": teacher.crops}
    chunks = [
        *encode_objects(
            objects.files,
            objects.objects,
            teacher,
            policies,
            batch_size=inputs.batch_size,
            workers=inputs.workers,
        )
    ]
    return TrueObjects(
        image_ids=torch.cat([chunk.image_ids for chunk in chunks]),
        boxes=torch.cat([chunk.objects.boxes for chunk in chunks]),
        labels=torch.cat([chunk.objects.labels for chunk in chunks]),
        embeddings=torch.cat([chunk.embeddings["own"].cpu() for chunk in chunks]),
    )


def _load_config(options: AdaptOptions) -> Config | None:
    if options.config is None:
        return None
    from ovdistill.models.config import load_config

    return load_config(options.config, options.overrides)


def _files(
    config: Config | None, subset: str, annotations: Path | None, images: Path | None
) -> tuple[Path, Path]:
    """Return an annotation file and the folder of its images: those given, else the config's."""
    if annotations is not None:
        return annotations, images or Path()
    from ovdistill.extraction.config_inputs import subset_files

    assert config is not None  # see AdaptOptions.check
    return subset_files(config, subset)


def _objects(
    found: Annotations,
    folder: Path,
    vocabulary: Vocabulary,
    named: Path | str | None,
    most: int | None = None,
    *,
    labelled: bool = True,
) -> ObjectFile:
    """Return the objects of a file's images, or of ``most`` of them.

    Args:
        found: the file.
        folder: of its images.
        vocabulary: the class names.
        named: where they are from, for messages.
        most: images.
        labelled: False takes the boxes of all categories, and labels each as the first name, which
            means nothing.

    Raises:
        UserError: no category has a name of the vocabulary, no image is there, or no object.
    """
    labels = {record["id"]: 0 for record in found.categories.values()}
    if labelled:
        labels = label_categories(vocabulary.names, found.categories, named, found.path)
    records = {image["id"]: image for image in found.images}
    drawn = [records[key] for key in draw_images([*records], most or len(records))]
    files = [
        ImageFile(image["id"], str(folder / image["file_name"]), (image["height"], image["width"]))
        for image in drawn
    ]
    check_some_are_there(files)
    objects = {file.image_id: labelled_objects(found, labels, file.image_id) for file in files}
    if not any(len(own.labels) for own in objects.values()):
        raise UserError(
            f"no object of the {len(vocabulary)} class names in {len(files)} images of "
            f"{found.path}; expected boxes of the names, such as {vocabulary.names[0]!r}"
        )
    return ObjectFile(found, files, objects)
