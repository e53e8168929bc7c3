"""Counts the annotations of an instances file, and writes those of some categories."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ovdistill.datasets.annotations import IMAGE_KEYS, Record, annotation_problem
from ovdistill.datasets.official.output import write_annotations
from ovdistill.datasets.official.source import SourceFile

ANNOTATION_KEYS = frozenset({"id", "image_id", "category_id", "bbox"})


@dataclass(frozen=True)
class Counts:
    """The content of a written file, in numbers. The names are keys in the file's ``info``.

    Attributes:
        images: number of images.
        kept: number of annotations that are kept.
        dropped: number of annotations that are not.
        bare: number of images without a kept annotation.
        base: number of base categories; None for captions, which have no categories.
        novel: number of novel categories; None for captions.
        unused: names of the source's categories that are neither base nor novel.
    """

    images: int
    kept: int
    dropped: int
    bare: int
    base: int | None = None
    novel: int | None = None
    unused: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class InstanceCounts:
    """The annotations of a file, counted by category and by image.

    Memory grows with the images and their categories, not with the annotations.

    Attributes:
        images: number of images.
        instances: number of annotations by category id, dropped ones included.
        present: category ids of the kept annotations, by image id.
    """

    images: int
    instances: Counter[int]
    present: dict[int, set[int]]

    def counts(self, kept: AbstractSet[int], **categories: Any) -> Counts:
        """Return the counts of a file with some of the categories.

        Args:
            kept: ids of the categories whose annotations are kept.
            **categories: ``base``, ``novel`` and ``unused`` of ``Counts``.
        """
        number = sum(self.instances[category] for category in kept)
        dropped = self.instances.total() - number
        return Counts(self.images, number, dropped, self.images - len(self.present), **categories)


def count_instances(
    source: SourceFile, categories: Sequence[Record], kept: AbstractSet[int]
) -> InstanceCounts:
    """Read all images and annotations of an official file, check and count them.

    The rules are those of ``datasets.annotations``. An annotation that breaks them is an error here
    and is not left out: the official files have none, so the file is damaged or another one.

    Args:
        source: the file.
        categories: all of its categories.
        kept: ids of the categories whose annotations are kept.

    Raises:
        UserError: a record lacks a key, or an annotation cannot be used.
    """
    images = {image["id"] for image in source.records("images", IMAGE_KEYS)}
    known = {category["id"] for category in categories}
    instances: Counter[int] = Counter()
    present: dict[int, set[int]] = defaultdict(set)
    for annotation in source.records("annotations", ANNOTATION_KEYS):
        if problem := annotation_problem(annotation, images, known):
            raise source.error(f"has annotation {annotation['id']} with {problem}")
        category = annotation["category_id"]
        instances[category] += 1
        if category in kept:
            present[annotation["image_id"]].add(category)
    return InstanceCounts(len(images), instances, present)


def write_instances(
    path: Path,
    source: SourceFile,
    origin: Mapping[str, Any],
    counts: Counts,
    categories: Sequence[Record],
    kept: AbstractSet[int],
) -> None:
    """Write all images and the annotations of the kept categories, in the order of the source.

    Args:
        path: the file to write.
        source: the file that ``count_instances`` has checked.
        origin: what the file is made from, see ``noted_counts``.
        counts: what the file will hold.
        categories: the category records to write.
        kept: ids of the categories whose annotations are kept.
    """
    sections = {
        "licenses": source.value("licenses", list),
        "categories": categories,
        "images": source.records("images", IMAGE_KEYS),
        "annotations": (
            annotation
            for annotation in source.records("annotations", ANNOTATION_KEYS)
            if annotation["category_id"] in kept
        ),
    }
    write_annotations(path, source.value("info", dict), origin, asdict(counts), sections)
