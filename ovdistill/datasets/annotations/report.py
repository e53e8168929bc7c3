"""Counts what was found wrong in a file of records, kind by kind, with an example of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple


class Effect(Enum):
    """What is done about a record; the values are those of `ovdistill check`."""

    REFUSED = "refused"  # with the whole file
    LEFT_OUT = "left out"
    CHANGED = "changed"
    DOUBTFUL = "doubtful"
    HARMLESS = "harmless"


class Kind(NamedTuple):
    """A kind of problem.

    Attributes:
        effect: what is done about it.
        text: what follows the count, and what is done about it.
    """

    effect: Effect
    text: str


KINDS = {
    "form": Kind(Effect.LEFT_OUT, "annotations are no objects"),
    "bbox": Kind(Effect.LEFT_OUT, "annotations have a bbox that is not four finite numbers"),
    "bbox_size": Kind(Effect.LEFT_OUT, "annotations have a bbox without width or height"),
    "bbox_far": Kind(Effect.LEFT_OUT, "annotations have a bbox far too large"),
    "bbox_outside": Kind(Effect.LEFT_OUT, "annotations have a bbox outside the image"),
    "image_id": Kind(Effect.LEFT_OUT, "annotations have an image_id of no image"),
    "category_id": Kind(Effect.LEFT_OUT, "annotations have a category_id of no category"),
    "mask": Kind(Effect.LEFT_OUT, "masks cannot be used: their boxes are kept"),
    "polygon": Kind(Effect.LEFT_OUT, "polygons cannot be used: the rest of their masks is kept"),
    "root_category": Kind(
        Effect.LEFT_OUT, "categories are the root of all others, without annotations"
    ),
    "federated": Kind(
        Effect.LEFT_OUT,
        "lists of neg_category_ids or not_exhaustive_category_ids are no lists of "
        "categories of the file: those are kept that are",
    ),
    "area": Kind(Effect.CHANGED, "areas are no positive numbers: the areas of the boxes are used"),
    "iscrowd": Kind(Effect.CHANGED, "values of iscrowd are neither 0 nor 1: 0 is used"),
    "flat": Kind(Effect.CHANGED, "masks are one flat list of numbers: read as one polygon"),
    "backslash": Kind(Effect.CHANGED, r"file names have '\': read as '/'"),
    "twins": Kind(
        Effect.DOUBTFUL,
        "category names are spellings of another one: a text means both "
        "(ovdistill check ANN.json --fix OUT.json makes them one category)",
    ),
    "same_file": Kind(Effect.DOUBTFUL, "images have the file of another image"),
    "image_number": Kind(Effect.HARMLESS, "ids of images are text or out of range: numbered"),
    "category_number": Kind(
        Effect.HARMLESS, "ids of categories are text or out of range: numbered"
    ),
    "id": Kind(Effect.HARMLESS, "annotation ids are missing or no numbers: numbered afresh"),
    "id_repeated": Kind(Effect.HARMLESS, "annotation ids occur before: numbered afresh"),
    "area_missing": Kind(Effect.HARMLESS, "areas are missing: the areas of the boxes are used"),
    "partly_outside": Kind(Effect.HARMLESS, "boxes are partly outside the image: kept"),
    "tiny": Kind(
        Effect.HARMLESS, "boxes have a side under 1 pixel in the image: tested, not trained on"
    ),
    "no_mask": Kind(Effect.HARMLESS, "annotations have no mask, unlike others: kept"),
    "empty_category": Kind(Effect.HARMLESS, "categories have no annotation: kept"),
}


@dataclass
class Report:
    """The problems of an annotation file, or of another file of records.

    Attributes:
        kinds: the kinds of problems that are told apart.
        counts: how many records have a problem, by kind (a key of ``kinds``).
        examples: a sentence about the first of each kind.
    """

    kinds: Mapping[str, Kind] = field(default_factory=lambda: KINDS, repr=False)
    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def add(self, kind: str, record: object, problem: str) -> None:
        """Count a problem.

        Args:
            kind: a key of ``kinds``.
            record: what has it: "annotation 3".
            problem: what it has: "bbox [1]; expected ...".
        """
        self.counts[kind] += 1
        if kind not in self.examples:
            self.examples[kind] = f"{record} has {problem}"

    def of(self, *effects: Effect) -> Counter[str]:
        """Return the counts of the kinds with these effects."""
        return Counter({k: n for k, n in self.counts.items() if self.kinds[k].effect in effects})

    def lines(self, *, harmless: bool = True) -> Iterator[str]:
        """Yield a line for each kind: what is done about it, its count, and the example.

        Args:
            harmless: with the kinds that change nothing.
        """
        for key, kind in self.kinds.items():
            if self.counts[key] and (harmless or kind.effect is not Effect.HARMLESS):
                example = self.examples[key]
                yield f"{kind.effect.value}: {self.counts[key]} {kind.text} (the first: {example})"
