"""OVMetric: parity with the reference evaluators, hand-worked figures, properties."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from pycocotools import mask as mask_utils

from ovdistill.core.errors import UserError
from ovdistill.evaluation.ov_metric import OVMetric

from .random_detections import mask_of, random_world, run, sample, write_truth


@pytest.mark.parametrize("protocol, clutter", [("coco", 30), ("lvis", 400)])
def test_hotcoco_equals_the_reference(tmp_path, monkeypatch, protocol, clutter):
    if protocol == "lvis":
        pytest.importorskip("lvis", reason="lvis-api is not installed")
        monkeypatch.setattr(np, "float", float, raising=False)  # lvis 0.5.3 needs the old name
    truth, samples = random_world(tmp_path, images=6, classes=7, clutter=clutter)
    results = [
        run(truth, samples, 7, {2, 5}, protocol=protocol, backend=backend)
        for backend in ("hotcoco", "reference")
    ]
    fast, reference = ({k: v for k, v in r.items() if k != "metric"} for r in results)
    assert fast.keys() == reference.keys()
    assert 0 < fast["bbox/AP"] < 100 and 0 < fast["segm/AP50_novel"] < 100
    for key, value in reference.items():
        assert abs(fast[key] - value) < 1e-9, key
    assert results[0]["metric"].per_category == results[1]["metric"].per_category


def test_lvis_keeps_the_best_300_of_an_image_over_all_classes(tmp_path):
    """A perfect box ranked 301st counts in the COCO protocol and not in the LVIS protocol."""
    box = [10.0, 10.0, 40.0, 40.0]
    truth = write_truth(tmp_path / "truth.json", [[(1, box)]], classes=5)
    far = [60.0, 60.0, 90.0, 90.0]
    # 75 boxes of each of four other classes
    found = [(2 + i % 4, far, 0.9) for i in range(300)] + [(1, box, 0.5)]
    samples = [sample(1, found)]
    assert run(truth, samples, 5, {5}, protocol="coco")["bbox/AP"] == pytest.approx(100)
    assert run(truth, samples, 5, {5}, protocol="lvis")["bbox/AP"] == 0


def test_hand_worked_base_novel_and_harmonic_mean(tmp_path):
    """Base class 1: both objects found. Novel class 2: one of its two, at the higher score.

    Class 2 reaches recall 0.5 at precision 1: 51 of 101 recall levels, AP 51/101. Class 3 (novel)
    has no object and no say. Class 4 (base): found, but under IoU 0.6, so AP 2/10 thresholds
    (0.5 and 0.55) and AP50 = 1.
    """
    a, b = [0.0, 0.0, 20.0, 20.0], [40.0, 40.0, 60.0, 60.0]
    half = [40.0, 0.0, 60.0, 20.0]
    low = [40.0, 0.0, 60.0, 11.6]  # IoU 0.58 with `half`
    truth = write_truth(tmp_path / "truth.json", [[(1, a), (2, b)], [(1, a), (2, b), (4, half)]], 4)
    samples = [
        sample(1, [(1, a, 0.9), (2, b, 0.8)]),
        sample(2, [(1, a, 0.7), (4, low, 0.6)]),
    ]
    result = run(truth, samples, 4, {2, 3}, metrics=["bbox"], protocol="coco")
    novel = 100 * 51 / 101
    assert result["bbox/AP50_base"] == pytest.approx(100)
    assert result["bbox/AP50_novel"] == pytest.approx(novel)
    assert result["bbox/HM50"] == pytest.approx(2 * 100 * novel / (100 + novel))
    assert result["bbox/AP_base"] == pytest.approx((100 + 20) / 2)
    assert result["bbox/AP_novel"] == pytest.approx(novel)
    assert result["bbox/AP"] == pytest.approx((100 + 20 + novel) / 3)
    assert result["bbox/AP75"] == pytest.approx((100 + 0 + novel) / 3)
    assert result["bbox/AR100"] == pytest.approx((100 + 50 + 20) / 3)
    assert "segm/AP" not in result
    by_name = {row["name"]: row for row in result["metric"].per_category}
    assert by_name["c4"]["group"] == "base"
    assert by_name["c4"]["bbox"] == {"AP": pytest.approx(20), "AP50": pytest.approx(100)}
    assert by_name["c3"]["bbox"] == {"AP": -1, "AP50": -1}


def test_lvis_frequency_groups(tmp_path):
    """Frequencies by id 1..3: c, f, r; only the rare class is found."""
    box = [10.0, 10.0, 40.0, 40.0]
    objects = [[(1, box), (2, box), (3, box)]]
    truth = write_truth(tmp_path / "truth.json", objects, classes=3)
    result = run(truth, [sample(1, [(3, box, 0.9)])], 3, {3}, protocol="lvis")
    for kind in ("bbox", "segm"):
        found = [result[f"{kind}/AP{group}"] for group in ("r", "c", "f", "_novel", "_base")]
        assert found == pytest.approx([100, 0, 0, 100, 0])
        assert result[f"{kind}/HM50"] == 0


def test_the_order_of_images_and_detections_does_not_matter(tmp_path):
    truth, samples = random_world(tmp_path, images=4, classes=5, clutter=20)
    for item in samples:  # untied scores: ties go by order, as in the references
        n = len(item["pred_instances"]["scores"])
        item["pred_instances"]["scores"] = torch.linspace(0.1, 0.9, n) + 0.001 * item["img_id"]
    shuffled = []
    for item in samples[::-1]:
        order = torch.randperm(len(item["pred_instances"]["scores"]))
        instances = {key: value[order] for key, value in item["pred_instances"].items()}
        shuffled.append({**item, "pred_instances": instances})
    first, second = (run(truth, s, 5, {2}) for s in (samples, shuffled))
    first.pop("metric"), second.pop("metric")
    assert first == pytest.approx(second, abs=1e-9)


@pytest.mark.parametrize("protocol", ["coco", "lvis"])
@pytest.mark.parametrize("backend", ["hotcoco", "reference"])
def test_no_detections_give_zero(tmp_path, monkeypatch, protocol, backend):
    if (protocol, backend) == ("lvis", "reference"):
        pytest.importorskip("lvis", reason="lvis-api is not installed")
        monkeypatch.setattr(np, "float", float, raising=False)
    truth = write_truth(tmp_path / "truth.json", [[(1, [1.0, 1.0, 9.0, 9.0])]], classes=2)
    result = run(truth, [sample(1, [])], 2, {2}, protocol=protocol, backend=backend)
    assert result["bbox/AP"] == result["segm/AP_base"] == 0
    assert result["bbox/AP_novel"] == result["bbox/HM50"] == -1  # no novel object at all


def test_detections_are_written_as_coco_results(tmp_path):
    box = [10.0, 10.0, 40.0, 40.0]
    truth = write_truth(tmp_path / "truth.json", [[(1, box)]], classes=2)
    run(truth, [sample(1, [(1, box, 0.5)])], 2, {2}, outfile_prefix=str(tmp_path / "out" / "dets"))
    expected = {"image_id": 1, "category_id": 1, "score": 0.5}
    boxes = json.loads((tmp_path / "out" / "dets.bbox.json").read_text())
    assert boxes == [{**expected, "bbox": [10, 10, 30, 30]}]
    masks = json.loads((tmp_path / "out" / "dets.segm.json").read_text())
    np.testing.assert_array_equal(mask_utils.decode(masks[0]["segmentation"]), mask_of(box))


def test_bad_input_is_named(tmp_path):
    with pytest.raises(UserError, match="no annotation file"):
        OVMetric(str(tmp_path / "nothing.json"))
    truth = write_truth(tmp_path / "truth.json", [[(1, [1.0, 1.0, 9.0, 9.0])]], classes=2)
    with pytest.raises(UserError, match="protocol"):
        OVMetric(str(truth), protocol="voc")
    with pytest.raises(UserError, match="category 3"):
        run(truth, [sample(1, [])], 3, {2})
    with pytest.raises(UserError, match="image 7"):
        run(truth, [sample(7, [])], 2, {2})
    with pytest.raises(ValueError, match="masks of"):
        run(truth, [{**sample(1, [(1, [1.0, 1.0, 9.0, 9.0], 0.5)]), "ori_shape": (5, 5)}], 2, {2})
