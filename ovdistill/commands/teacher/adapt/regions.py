"""The regions that an adaptation learns from: of stores, or true boxes that are embedded once.

Shapes: n regions, D embedding width, S side of the teacher's input.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ovdistill.commands.teacher.adapt.inputs import AdaptInputs, ObjectFile, encode
from ovdistill.commands.teacher.adapt.options import AdaptOptions
from ovdistill.core.errors import UserError
from ovdistill.datasets.prompt_samples import (
    read_embeddings,
    read_samples,
    split_ids,
    split_images,
)
from ovdistill.evaluation.regions.matching import Objects
from ovdistill.evaluation.teacher.objects import TrueObjects
from ovdistill.store import TeacherStore
from ovdistill.teacher import Teacher
from ovdistill.teacher_training.adapt.crops import RegionCrops
from ovdistill.teacher_training.adapt.data import AdaptData, AdaptMethod, LabelledRegions
from ovdistill.teacher_training.adapt.few_shot import draw_shots
from ovdistill.teacher_training.adapt.pseudo_labels import pseudo_label

PSEUDO_SHOTS = 16  # of a class, as in UPL
UNLIMITED = (2**31, 2**31)  # height and width of an image whose size is not known
HELD_OUT_SHOTS = 4  # to choose settings with, as in the few-shot protocol of CoOp


def read_data(
    options: AdaptOptions, method: AdaptMethod, inputs: AdaptInputs, teacher: Teacher
) -> AdaptData:
    """Read the regions of base classes to learn from, and those to choose settings with.

    A tenth of the images is held out. With ``--shots`` k regions of a class are drawn from the
    others, and at most four from the held-out ones. With ``--unsupervised`` labels are the
    teacher's own, in both parts.

    Args:
        options: of the command.
        method: what learns from them.
        inputs: names, annotations and images.
        teacher: the one to adapt.

    Raises:
        UserError: fewer than ten images, regions of another teacher, or none of a base class.
    """
    shots = options.shots or method.default_shots
    reader = _Reader(
        inputs=inputs,
        teacher=teacher,
        shots=shots or (PSEUDO_SHOTS if options.unsupervised else None),
        unsupervised=options.unsupervised,
        seed=options.seed,
    )
    if options.store:
        if method.needs_crops:
            raise UserError(f"{method.name} learns from pixels, and stores have none; omit --store")
        train, held_out = reader.of_stores([TeacherStore(folder) for folder in options.store])
        where = f"regions of {', '.join(map(str, options.store))}"
    else:
        train, held_out = reader.of_boxes(crops=method.needs_crops)
        where = f"true boxes of {inputs.annotations}"
    if not len(train):
        raise UserError(f"no {where} is of a base class; expected some to learn from")
    labels = "labels of the teacher's own" if options.unsupervised else "labels"
    few = f", at most {reader.shots} of a class" if reader.shots else ""
    source = f"{len(train)} {where} with {labels}, {len(train.labels.unique())} base classes{few}"
    return AdaptData(teacher, inputs.vocabulary, train, held_out, source, options.unsupervised)


@dataclass(frozen=True, eq=False)
class _Reader:
    """Reads regions; of each class all, or ``shots``."""

    inputs: AdaptInputs
    teacher: Teacher
    shots: int | None
    unsupervised: bool
    seed: int

    def of_stores(self, stores: list[TeacherStore]) -> tuple[LabelledRegions, LabelledRegions]:
        """Return regions of stores by their IoU with base boxes, see ``read_samples``."""
        for store in stores:
            if not store.teacher.is_same(self.teacher.id):
                raise UserError(
                    f"teacher store {store.folder} was made by teacher {store.teacher}; got "
                    f"teacher {self.teacher.id}; expected the same"
                )
        learning, held_out = split_images(stores, self.seed)
        train = self._of_stores(stores, learning, self.shots)
        return train, self._of_stores(stores, held_out, self._held_out_shots)

    def of_boxes(self, *, crops: bool) -> tuple[LabelledRegions, LabelledRegions]:
        """Return true boxes of base objects, embedded; with their crops if asked for.

        Without labels they are the boxes of all objects, of which nobody says which are base.
        """
        file = self.inputs.train
        assert file is not None  # there are no stores
        taken = file.objects
        if not self.unsupervised:
            taken = {key: self._base(own) for key, own in taken.items()}
        boxes = file.only(taken)
        if not boxes.files:
            raise UserError(f"{file.found.path} has no box of a base class; expected some")
        learning, held_out = split_ids(boxes.objects.keys(), self.seed)
        train = self._of_boxes(boxes, learning, self.shots, crops=crops)
        return train, self._of_boxes(boxes, held_out, self._held_out_shots, crops=crops)

    @property
    def _held_out_shots(self) -> int | None:
        return None if self.shots is None else min(self.shots, HELD_OUT_SHOTS)

    def _of_stores(
        self, stores: list[TeacherStore], images: Collection[int], shots: int | None
    ) -> LabelledRegions:
        if self.unsupervised:
            found = normalize(read_embeddings(stores, images).float(), dim=-1)
            rows, labels = self._pseudo_label(found, shots)
            return LabelledRegions(found[rows], labels)
        samples = read_samples(
            stores, self.inputs.annotations, self.inputs.vocabulary, images, background=0
        )
        regions = LabelledRegions(normalize(samples.embeddings.float(), dim=-1), samples.labels)
        return regions if shots is None else regions[draw_shots(regions.labels, shots, self.seed)]

    def _of_boxes(
        self, file: ObjectFile, images: Collection[int], shots: int | None, *, crops: bool
    ) -> LabelledRegions:
        chosen = {key: own for key, own in file.objects.items() if key in images}
        if shots is not None and not self.unsupervised:  # before they are embedded
            chosen = _draw_objects(chosen, shots, self.seed)
        chosen_file = file.only(chosen)
        found = encode(chosen_file, self.teacher, self.inputs)
        rows, labels = torch.arange(len(found)), found.labels
        if self.unsupervised:
            rows, labels = self._pseudo_label(found.embeddings, shots)
        pixels = region_crops(chosen_file, found, rows, self.teacher) if crops else None
        return LabelledRegions(found.embeddings[rows], labels, pixels)

    def _pseudo_label(self, embeddings: Tensor, shots: int | None) -> tuple[Tensor, Tensor]:
        """Return rows of regions, and their labels as rows of the vocabulary."""
        assert shots is not None  # see read_data
        base = self.inputs.vocabulary.is_base.nonzero().flatten()
        texts = self.inputs.vocabulary.embeddings[base]
        rows, classes = pseudo_label(embeddings, texts, self.teacher.temperature, shots)
        return rows, base[classes]

    def _base(self, objects: Objects) -> Objects:
        kept = self.inputs.vocabulary.is_base[objects.labels]
        return Objects(objects.boxes[kept], objects.labels[kept])


def region_crops(
    file: ObjectFile, objects: TrueObjects, rows: Tensor, teacher: Teacher
) -> RegionCrops:
    """Return regions as pixels, as the teacher crops them.

    Args:
        file: the images.
        objects: boxes of the images.
        rows: (n,) int64, the objects that are taken.
        teacher: whose crops.
    """
    images = {own.image_id: own for own in file.files}
    chosen = [images[image_id] for image_id in objects.image_ids[rows].tolist()]
    limits = torch.tensor([(image.size or UNLIMITED)[::-1] * 2 for image in chosen])
    boxes = objects.boxes[rows].clamp(min=0).minimum(limits.reshape(-1, 4))
    return RegionCrops.of_teacher([image.path for image in chosen], boxes, teacher)


def _draw_objects(objects: Mapping[int, Objects], shots: int, seed: int) -> dict[int, Objects]:
    """Return at most ``shots`` objects of each class."""
    labels = torch.cat([own.labels for own in objects.values()])
    drawn = torch.zeros(len(labels), dtype=torch.bool)
    drawn[draw_shots(labels, shots, seed)] = True
    parts = drawn.split([len(own.labels) for own in objects.values()])
    return {
        key: Objects(own.boxes[kept], own.labels[kept])
        for (key, own), kept in zip(objects.items(), parts, strict=True)
    }
