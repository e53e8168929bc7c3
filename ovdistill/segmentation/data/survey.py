"""Looks through images and label maps: what is missing or broken, and the pixels of each class."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ovdistill.core.errors import UserError
from ovdistill.core.images import read_image_size
from ovdistill.core.logs import progress
from ovdistill.datasets.names.label_table import LabelTable
from ovdistill.segmentation.data.label_map import IGNORE, lookup_of, read_label_map, values_to_rows
from ovdistill.segmentation.data.official import Subset


@dataclass
class Survey:
    """What was found in a subset.

    Attributes:
        images: number of images of the subset.
        missing: images and label maps that are not there.
        problems: what is wrong with those of the sample.
        sample: number of pairs that were read.
        pixels: pixels of each class in the sample, by row of the table's class names.
        ignored: pixels of the sample without a class.
    """

    images: int
    missing: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    sample: int = 0
    pixels: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    ignored: int = 0


def survey(root: Path, subset: Subset, table: LabelTable, sample: int) -> Survey:
    """Look for all files of a subset, and read a part of them.

    Args:
        root: the data set's folder.
        subset: what to look through.
        table: what the values of its maps mean.
        sample: number of pairs to read, spread evenly over the subset.

    Raises:
        UserError: see ``Subset.names``.
    """
    names = subset.names(root)
    pairs = {name: subset.pair(root, name) for name in names}
    there = [name for name in names if all(path.is_file() for path in pairs[name])]
    classes = table.class_names().names
    found = Survey(
        images=len(names),
        missing=[path for pair in pairs.values() for path in pair if not path.is_file()],
        pixels=np.zeros(len(classes), np.int64),
    )
    lookup = lookup_of(table.rows(classes), table.names)
    places = np.linspace(0, len(there) - 1, min(sample, len(there))).round().astype(int)
    for place in progress(places, title=subset.maps, unit="maps", leave=False, delay=1):
        image, label_map = pairs[there[place]]
        try:
            values = read_label_map(label_map, read_image_size(image))
            rows = values_to_rows(values, lookup, str(label_map))
        except UserError as error:
            found.problems.append(str(error))
            continue
        found.sample += 1
        counts = np.bincount(rows.ravel() - IGNORE, minlength=len(classes) + 1)
        found.ignored += int(counts[0])
        found.pixels += counts[1:]
    return found
