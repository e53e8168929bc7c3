"""Predicted label maps in files: written, and scored again."""

import numpy as np
import pytest
from mmdet.registry import DATASETS

import ovdistill.segmentation.register  # noqa: F401
from ovdistill.core.errors import UserError
from ovdistill.segmentation.data.label_map import IGNORE, read_label_map
from ovdistill.segmentation.metrics.label_files import LabelMapWriter
from ovdistill.segmentation.metrics.score_folder import score_folder
from ovdistill.segmentation.metrics.semantic import SemanticScores, count_pairs

from ..label_files import vocabulary_of, write_pair

NAMES = ("cat", "sky", "road")


def test_values_above_254_take_16_bits(tmp_path):
    rows = np.array([[0, 1, IGNORE]])
    path = LabelMapWriter(tmp_path, [300, 2]).write(12, rows)
    assert read_label_map(path).tolist() == [[300, 2, 65535]]
    path = LabelMapWriter(tmp_path, [254, 2]).write("a/b", rows)
    assert path == tmp_path / "a/b.png" and read_label_map(path).tolist() == [[254, 2, 255]]


def test_values_and_names_that_cannot_be_written(tmp_path):
    with pytest.raises(UserError, match="70000"):
        LabelMapWriter(tmp_path, [70_000])
    for name in ("../a", "/etc/a"):
        with pytest.raises(UserError, match="outside"):
            LabelMapWriter(tmp_path / "maps", [1]).write(name, np.zeros((1, 1), int))


def build(root, **more):
    (root / "table.txt").write_text("0\tsky\n1\troad\n2\tcat\n")
    for index, name in enumerate("ab"):
        write_pair(root, name, np.random.default_rng(index).integers(0, 3, (6, 7)))
    return DATASETS.build(
        dict(
            type="SegmentationDataset",
            vocabulary=vocabulary_of(NAMES, ["road"]),
            labels=str(root / "table.txt"),
            data_root=str(root),
            serialize_data=False,  # mmengine collects garbage for it
            data_prefix=dict(img_path="images", seg_map_path="maps"),
            img_suffix=".png",
        )
        | dict(test_mode=True)
        | more
    )


def test_a_folder_of_predictions_has_the_figures_of_the_predictions(tmp_path):
    data = build(tmp_path)
    assert data.metainfo["label_values"] == (2, 0, 1)
    writer = LabelMapWriter(tmp_path / "found", data.metainfo["label_values"])
    pairs = []
    for index, name in enumerate("ab"):
        rows = np.random.default_rng(index + 9).integers(IGNORE, 3, (6, 7))
        writer.write(name, rows)
        truth = np.array([1, 2, 0])[read_label_map(tmp_path / f"maps/{name}.png")]
        pairs.append(count_pairs(truth, rows))
    found = score_folder(data.label_maps(), tmp_path / "found").metrics()
    assert found == SemanticScores.of(pairs, data.metainfo["is_base"]).metrics()
    assert 0 < found["mIoU"] < 100
    (tmp_path / "found/b.png").unlink()
    with pytest.raises(UserError, match=r"1 of 2.*b\.png"):
        score_folder(data.label_maps(), tmp_path / "found")


def test_the_truth_has_100(tmp_path):
    data = build(tmp_path)
    assert score_folder(data.label_maps(), tmp_path / "maps").metrics()["hIoU"] == 100
    with pytest.raises(UserError, match="test_mode"):
        build(tmp_path, test_mode=False).label_maps()
