"""Measure a store of regions against the objects of an annotation file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.core.logs import progress
from ovdistill.datasets.annotations import Annotations, read_annotations
from ovdistill.datasets.annotations.class_categories import label_categories
from ovdistill.datasets.build_vocabulary import split_names
from ovdistill.datasets.names import names_of_annotations
from ovdistill.evaluation.regions import objects
from ovdistill.evaluation.regions.figures import RegionFigures, measure_regions
from ovdistill.store import TeacherStore
from ovdistill.vocabulary import Vocabulary


@dataclass(frozen=True)
class Measured:
    """Figures of a sample of the images that are both in the store and in the file.

    Attributes:
        figures: the figures.
        shared: how many images are in both.
    """

    figures: RegionFigures
    shared: int


def measure_store(
    folder: Path, annotations: Path, vocabulary: Path | None, split: str | None, *, sample: int
) -> Measured:
    """Measure a store against the objects of a file.

    Args:
        folder: the store.
        annotations: the file.
        vocabulary: a vocabulary file, which has a split; None leaves out what needs embeddings.
        split: of the file's categories where there is no vocabulary, see ``split_names``.
        sample: the largest number of images.

    Raises:
        UserError: a file that cannot be read; a store of other images, or of another teacher than
            the vocabulary; no common class; a split that does not fit.
    """
    store = TeacherStore(folder)
    found = read_annotations(annotations, allow_outside_images=True)  # none is opened
    names, is_base, texts = _classes(store, found, vocabulary, split)
    labels = label_categories(names, found.categories, vocabulary, annotations)
    shared = objects.shared_images(store, found)
    images = objects.draw_images(shared, sample)
    pairs = objects.regions_and_objects(store, found, labels, images)
    shown = progress(pairs, title="measuring", unit="image", total=len(images), leave=False)
    return Measured(measure_regions(shown, store.meta.embed_dim, is_base, texts), len(shared))


def _classes(
    store: TeacherStore, found: Annotations, path: Path | None, split: str | None
) -> tuple[tuple[str, ...], Tensor, Tensor | None]:
    """Return W class names, (W,) bool, True = base, and (W, D) text embeddings if there are some.

    Raises:
        UserError: vocabulary and store are of different teachers, or a split that does not fit.
    """
    if path is None:
        names, is_base = split_names(names_of_annotations(found), split)
        return names.names, is_base, None
    vocabulary = Vocabulary.load(path)
    width, store_width = vocabulary.embed_dim, store.meta.embed_dim
    if not vocabulary.teacher.is_same(store.teacher) or width != store_width:
        raise UserError(
            f"{path} was made by teacher {vocabulary.teacher}, width {width}; "
            f"{store.folder} by teacher {store.teacher}, width {store_width}; expected the same. "
            "Make the vocabulary with the store's teacher: ovdistill vocab build"
        )
    return vocabulary.names, vocabulary.is_base, vocabulary.embeddings
