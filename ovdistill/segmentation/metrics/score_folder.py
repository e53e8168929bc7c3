"""Scores predicted label maps that are files, of any system, without a segmentor."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

from ovdistill.core.errors import UserError
from ovdistill.core.image_folders import list_folder
from ovdistill.segmentation.data.label_map import read_label_map, values_to_rows
from ovdistill.segmentation.data.label_maps import LabelMaps
from ovdistill.segmentation.data.record_maps import load_maps
from ovdistill.segmentation.metrics.label_files import label_map_path
from ovdistill.segmentation.metrics.semantic import PixelPairs, SemanticScores, count_pairs

LOGGER = logging.getLogger(__name__)


def score_folder(truth: LabelMaps, folder: str | os.PathLike[str]) -> SemanticScores:
    """Score a folder of predicted label maps; see ``folder_pairs``."""
    return SemanticScores.of(folder_pairs(truth, folder), truth.is_base)


def folder_pairs(truth: LabelMaps, folder: str | os.PathLike[str]) -> Iterator[PixelPairs]:
    """Count the pairs of classes of each image of a folder of predicted label maps.

    Files that belong to no image of the data set are counted in a warning.

    Args:
        truth: the label maps of a data set, ``SegmentationDataset.label_maps()`` for one.
        folder: a PNG file for each image, with the name of its ``img_id``, in the data set's
            values, as ``SegmentationMetric(dump=...)`` writes them.

    Raises:
        UserError: a file that is missing, damaged, of another size, or has unknown values.
    """
    paths = [label_map_path(Path(folder), record["img_id"]) for record in truth.records]
    if missing := [path for path in paths if not path.is_file()]:
        raise UserError(
            f"{len(missing)} of {len(paths)} label maps are missing in {folder}, the first is "
            f"{missing[0].name}; expected one for each image of the data set, named by its image"
        )

    if others := {*list_folder(Path(folder)).images} - {*paths}:
        LOGGER.warning(
            "%d files of %s are of no image of the data set, such as %s: they are not scored",
            *(len(others), folder, min(others).relative_to(folder)),
        )
    for record, path in zip(truth.records, paths, strict=True):
        labels = load_maps(record)[0]
        values = read_label_map(path, labels.shape)
        yield count_pairs(labels, values_to_rows(values, record["label_lookup"], str(path)))
