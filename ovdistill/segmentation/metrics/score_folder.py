"""Scores predicted label maps that are files, of any system, without a segmentor."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ovdistill.core.errors import UserError
from ovdistill.segmentation.data.dataset import SegmentationDataset
from ovdistill.segmentation.data.label_map import read_label_map, values_to_rows
from ovdistill.segmentation.data.record_maps import load_maps
from ovdistill.segmentation.metrics.label_files import label_map_path
from ovdistill.segmentation.metrics.semantic import PixelPairs, SemanticScores, count_pairs


def score_folder(dataset: SegmentationDataset, folder: str | os.PathLike[str]) -> SemanticScores:
    """Score a folder of predicted label maps against a data set.

    Args:
        dataset: in ``test_mode``; its pipeline is not used.
        folder: a PNG file for each image, with the name of its ``img_id``, in the data set's
            values, as ``SegmentationMetric(dump=...)`` writes them.

    Raises:
        UserError: a data set for training; a file that is missing, damaged, of another size, or
            has unknown values.
    """
    if not dataset.test_mode:
        raise UserError("got a data set for training, which ignores classes; expected test_mode")
    records = [dataset.get_data_info(index) for index in range(len(dataset))]
    paths = [label_map_path(Path(folder), record["img_id"]) for record in records]
    if missing := [path for path in paths if not path.is_file()]:
        raise UserError(
            f"{len(missing)} of {len(paths)} label maps are missing in {folder}, the first is "
            f"{missing[0].name}; expected one for each image of the data set, named by its image"
        )

    def pairs() -> Iterator[PixelPairs]:
        for record, path in zip(records, paths, strict=True):
            truth = load_maps(record)[0]
            values = read_label_map(path, truth.shape)
            yield count_pairs(truth, values_to_rows(values, record["label_lookup"], str(path)))

    return SemanticScores.of(pairs(), dataset.metainfo["is_base"])
