"""Tables of segmentation's figures."""

import numpy as np

from ovdistill.segmentation.metrics.panoptic import PanopticScores
from ovdistill.segmentation.metrics.semantic import SemanticScores
from ovdistill.segmentation.metrics.tables import (
    class_table,
    missing_line,
    panoptic_classes,
    semantic_classes,
    summary_tables,
)

SEMANTIC = SemanticScores(
    *np.array([[5, 1, 2, 0], [10, 2, 2, 0], [5, 1, 3, 0]]), (True, False, False, True)
)


def test_summaries():
    metrics = {f"semantic/{key}": value for key, value in SEMANTIC.metrics().items()}
    (table,) = summary_tables(metrics | {"loss": 1.0})
    assert table.header == ["", "mIoU", "sIoU", "uIoU", "hIoU", "pAcc", "mAcc"]
    assert table.rows[0][1:4] == ["55.6", "50.0", "58.3"]
    metrics["semantic/uIoU"] = -1.0
    assert summary_tables(metrics)[0].rows[0][3] == "-"


def test_classes_that_occur_with_unseen_ones_first():
    table = class_table("classes", semantic_classes(SEMANTIC, ["a", "b", "c", "d"]))
    assert [row[:3] for row in table.rows] == [
        ["c", "unseen", "66.7"],
        ["b", "unseen", "50.0"],
        ["a", "seen", "50.0"],
    ]
    assert "| c | unseen | 66.7 | 100.0 | 2 | 3 |" in table.markdown()
    assert semantic_classes(SEMANTIC, ["a", "b", "c", "d"])[3]["IoU"] is None


def test_panoptic_classes():
    scores = PanopticScores(np.array([1.5]), *np.array([[2], [1], [1]]), (True,))
    (record,) = panoptic_classes(scores, ["a"])
    assert (record["PQ"], record["SQ"], record["tp"]) == (50.0, 75.0, 2)


def test_classes_without_a_pixel_are_said():
    assert missing_line(SEMANTIC).startswith("1 of 4 classes have no pixel in the truth: 0 of")
    wrong = SemanticScores(*np.array([[1, 0], [1, 0], [1, 3]]), (True, False))
    assert "1 of them were predicted" in missing_line(wrong)
    assert missing_line(SemanticScores(*np.array([[1], [1], [1]]), (True,))) is None
