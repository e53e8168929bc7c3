"""Files of instances: counts what one holds and what a filter keeps of it, and writes that."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ovdistill.datasets.annotations import IMAGE_KEYS
from ovdistill.datasets.official.output import write_annotations
from ovdistill.datasets.official.source import SourceFile

ANNOTATION_KEYS = frozenset({"id", "image_id", "category_id", "bbox", "area"})


@dataclass(frozen=True)
class Counts:
    """What a file holds.

    Attributes:
        images: number of images.
        kept: annotations that the filter keeps.
        dropped: annotations that it does not.
        bare: images without a kept annotation.
        base: base categories; None for captions, which have none.
        novel: novel categories.
        unused: names of the source's categories that are neither.
    """

    images: int
    kept: int
    dropped: int
    bare: int
    base: int | None = None
    novel: int | None = None
    unused: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Survey:
    """A file of instances, seen through a filter.

    Memory grows with the images and their categories, not with the annotations.

    Attributes:
        images: number of images.
        instances: annotations by category id, dropped ones too.
        present: category ids of the kept annotations, by image id.
    """

    images: int
    instances: Counter[int]
    present: dict[int, set[int]]

    def counts(self, kept: AbstractSet[int], **categories) -> Counts:
        """The counts, with those of the categories as they are given."""
        number = sum(self.instances[category] for category in kept)
        dropped = self.instances.total() - number
        return Counts(self.images, number, dropped, self.images - len(self.present), **categories)


def survey(source: SourceFile, categories: Sequence[dict], kept: AbstractSet[int]) -> Survey:
    """Reads all images and annotations.

    Args:
        source: the file.
        categories: all of its categories.
        kept: ids of the categories whose annotations are kept.

    Raises:
        UserError: a record lacks a key, or names an image or a category that is not there.
    """
    images = {image["id"] for image in source.records("images", IMAGE_KEYS)}
    known = {category["id"] for category in categories}
    instances: Counter[int] = Counter()
    present: dict[int, set[int]] = defaultdict(set)
    for annotation in source.records("annotations", ANNOTATION_KEYS):
        image, category = annotation["image_id"], annotation["category_id"]
        if image not in images or category not in known:
            raise source.error(
                f"has annotation {annotation['id']} of image {image} and category {category}, "
                "but not both of these"
            )
        instances[category] += 1
        if category in kept:
            present[image].add(category)
    return Survey(len(images), instances, present)


def write_instances(
    path: Path,
    source: SourceFile,
    origin: Mapping[str, Any],
    counts: Counts,
    categories: Sequence[dict],
    kept: AbstractSet[int],
) -> None:
    """Writes all images and the annotations of the kept categories, in the order of the source.

    Args:
        path: the file to write.
        source: what was surveyed.
        origin: what the file is made from.
        counts: what it will hold.
        categories: the entries it gets.
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
