"""Describe a store of region embeddings, and measure it against labelled objects.

    ovdistill store info STORE
    ovdistill store info STORE --annotations train.json --vocabulary vocabulary.safetensors

With --annotations it prints, over a sample of the images, how many objects the regions hold, how
often the teacher names them as labelled, what their objectness tells, how the embeddings lie, and
advice on weights and thresholds before anything is trained. Without --vocabulary there is nothing
of class names in it. Novel boxes are only counted here; training does not see them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ovdistill.commands.checks import check_file, check_folder
from ovdistill.commands.options import CommonOptions, argument, flag, option
from ovdistill.commands.printing import print_lines
from ovdistill.core.errors import UserError
from ovdistill.core.text import printable

if TYPE_CHECKING:
    from torch import Tensor

    from ovdistill.datasets.annotations import Annotations
    from ovdistill.evaluation.regions.figures import RegionFigures
    from ovdistill.store import TeacherStore


@dataclass(frozen=True, kw_only=True)
class InfoOptions(CommonOptions):
    """Options of ``ovdistill store info``."""

    store: Path = argument("folder of the store")
    annotations: Path | None = option(
        None,
        metavar="FILE",
        help="annotation file of the images, of all classes or of base classes alone: measure the "
        "regions against its objects",
    )
    vocabulary: Path | None = option(
        None, metavar="FILE", help="class names, their split and their text embeddings"
    )
    split: str | None = option(
        None,
        help="without a vocabulary: lvis, coco, none, a split of OVShapes, or the novel names "
        "(default: lvis where the file has frequencies, else none)",
    )
    sample: int = option(2000, help="images to measure, drawn always alike", least=1)
    json: bool = flag(help="print JSON, for programs")


def info(options: InfoOptions) -> None:
    """Print what the store holds, a line for each fact, and what was measured.

    Raises:
        UserError: no store, a damaged one, or one of another teacher than the vocabulary; an
            annotation file that cannot be read or is of other images or classes.
    """
    check_folder(options.store, "STORE")
    check_file(options.annotations, "--annotations")
    check_file(options.vocabulary, "--vocabulary")
    _check_choices(options)
    from ovdistill.store.maintenance import describe

    found = describe(options.store)
    measured = _measure(options, options.annotations) if options.annotations else None
    if options.json:
        print(json.dumps(found | (_as_json(measured) if measured else {}), indent=2))
        return
    width = max(map(len, found))
    for key, value in found.items():
        print(f"{key:{width}}  {printable(str(value))}")
    if measured:
        from ovdistill.evaluation.regions.lines import full_lines

        sample = f"{measured.images} images, {measured.regions} regions"
        print_lines(["", f"against {options.annotations}: {sample}", *full_lines(measured)])


def _check_choices(options: InfoOptions) -> None:
    """Raise UserError for options that do not go together."""
    if (options.vocabulary or options.split) and not options.annotations:
        raise UserError("got --vocabulary or --split; they need --annotations FILE")
    if options.vocabulary and options.split:
        raise UserError("got --vocabulary and --split; expected one: a vocabulary has its split")


def _measure(options: InfoOptions, annotations: Path) -> RegionFigures:
    """Measure the store against the objects of a file."""
    from ovdistill.datasets.annotations import read_annotations
    from ovdistill.datasets.class_categories import find_categories
    from ovdistill.evaluation.regions import objects
    from ovdistill.evaluation.regions.figures import measure_regions
    from ovdistill.store import TeacherStore

    store = TeacherStore(options.store)
    found = read_annotations(annotations, allow_outside_images=True)  # none is opened
    names, is_base, texts = _classes(options, store, found)
    rows = find_categories(names, found.categories)
    labels = {cat_id: row for row, cat_id in enumerate(rows) if cat_id is not None}
    if not labels:
        raise UserError(
            f"none of the {len(names)} class names of {options.vocabulary} is a category of "
            f"{annotations} (the first: {names[0]!r})"
        )
    images = objects.draw_images(objects.shared_images(store, found), options.sample)
    pairs = objects.regions_and_objects(store, found, labels, images)
    return measure_regions(pairs, store.meta.embed_dim, is_base, texts)


def _classes(
    options: InfoOptions, store: TeacherStore, found: Annotations
) -> tuple[tuple[str, ...], Tensor, Tensor | None]:
    """Return W class names, (W,) bool, True = base, and (W, D) text embeddings if there are some.

    Raises:
        UserError: vocabulary and store are of different teachers, or a split that does not fit.
    """
    if not options.vocabulary:
        from ovdistill.datasets.build_vocabulary import split_names
        from ovdistill.datasets.name_json import names_of_json

        names, is_base = split_names(names_of_json([*found.categories.values()]), options.split)
        return names.names, is_base, None
    from ovdistill.vocabulary import Vocabulary

    vocabulary = Vocabulary.load(options.vocabulary)
    width, store_width = vocabulary.embed_dim, store.meta.embed_dim
    if not vocabulary.teacher.is_same(store.teacher) or width != store_width:
        raise UserError(
            f"{options.vocabulary} was made by teacher {vocabulary.teacher}, width {width}; "
            f"{options.store} by teacher {store.teacher}, width {store_width}; expected the same. "
            "Make the vocabulary with the store's teacher: ovdistill vocab build"
        )
    return vocabulary.names, vocabulary.is_base, vocabulary.embeddings


def _as_json(measured: RegionFigures) -> dict[str, Any]:
    from ovdistill.evaluation.regions.advice import advise

    return {"measured": asdict(measured), "advice": advise(measured)}
