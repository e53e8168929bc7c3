"""ProposalRecall by hand."""

from __future__ import annotations

import json

import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.evaluation.proposal_recall import ProposalRecall


@pytest.fixture
def metric(tmp_path) -> ProposalRecall:
    """Image 1: base and novel object; image 2: novel object, a crowd and a class without group."""
    boxes = [(1, 1, 0), (1, 2, 50), (2, 2, 0)]
    annotations = [
        {"image_id": image, "category_id": category, "bbox": [x, 0, 10, 10], "iscrowd": 0}
        for image, category, x in boxes
    ]
    annotations.append({**annotations[-1], "bbox": [70, 0, 10, 10], "iscrowd": 1})
    annotations.append({**annotations[-1], "iscrowd": 0, "category_id": 9})
    images = [{"id": i, "file_name": f"{i}.jpg", "height": 20, "width": 80} for i in (1, 2)]
    categories = [{"id": k, "name": f"c{k}"} for k in (1, 2, 9)]
    path = tmp_path / "truth.json"
    path.write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": categories})
    )
    result = ProposalRecall(str(path), numbers=(1, 100))
    result.dataset_meta = {"classes": ("b", "n"), "cat_ids": (1, 2), "is_base": (True, False)}
    return result


def proposals(image_id: int, boxes: list[list[float]], scores: list[float]) -> dict:
    found = {"bboxes": torch.tensor(boxes).reshape(-1, 4), "scores": torch.tensor(scores)}
    return {"img_id": image_id, "proposals": found}


def test_recall_of_base_and_novel_objects(metric):
    samples = [
        # the better score is the novel object's: the only one of the best 1
        proposals(1, [[0.0, 0, 10, 10], [50, 0, 60, 6]], [0.2, 0.8]),  # IoU 1 (base), 0.6 (novel)
        proposals(2, [], []),
    ]
    metric.process({}, samples)
    result = metric.evaluate(2)
    assert result == pytest.approx(
        {
            # novel: 0.6 passes 3 of 10 thresholds, the second novel object none
            "proposal/AR1": 100 * 0.3 / 3,
            "proposal/AR1_base": 0,
            "proposal/AR1_novel": 100 * 0.3 / 2,
            "proposal/AR100": 100 * 1.3 / 3,
            "proposal/AR100_base": 100,
            "proposal/AR100_novel": 100 * 0.3 / 2,
            "proposal/R50": 100 * 2 / 3,
            "proposal/R50_base": 100,
            "proposal/R50_novel": 50,
        }
    )


def test_a_detector_without_proposals_is_named(metric):
    with pytest.raises(UserError, match="'proposals'"):
        metric.process({}, [{"img_id": 1}])
