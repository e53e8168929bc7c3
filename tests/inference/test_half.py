"""Half precision finds the same objects, with boxes, scores and embeddings in float32."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.ops import box_iou

from ovdistill import Detector
from ovdistill.core.assets import SAMPLE_IMAGE
from ovdistill.inference.asked import ask
from ovdistill.inference.engine import Engine
from ovdistill.inference.limits import Limits
from ovdistill.models.config import load_config

from ..batches import make_vocabulary

TEXT = "solid circle, green star, red striped heart, outlined cross, ring"
SCORE, IOU = 0.05, 0.95  # tolerances


def test_half_precision_finds_the_same_objects() -> None:
    full, half = (
        Detector.from_pretrained(device="cpu", half=half).predict(SAMPLE_IMAGE, TEXT)
        for half in (False, True)
    )
    assert len(full) and half.names == full.names
    assert not np.array_equal(half.scores, full.scores)  # it is another arithmetic
    assert np.abs(half.scores - full.scores).max() < SCORE
    iou = box_iou(torch.from_numpy(half.boxes), torch.from_numpy(full.boxes)).diagonal()
    assert iou.min() > IOU
    for a, b in zip(half.masks, full.masks, strict=True):
        assert (a & b).sum() / (a | b).sum() > 0.9
    assert half.embeddings.dtype == half.boxes.dtype == np.float32
    kept = half.regions
    for values in (kept.boxes, kept.regressed, kept.embeddings, kept.masks):
        assert values.dtype == torch.float32


def test_half_precision_answers_other_names_too() -> None:
    detector = Detector.from_pretrained(device="cpu", half=True)
    seen = detector.predict(SAMPLE_IMAGE, "ring")
    again = detector.requery(seen, TEXT)
    whole = detector.predict(SAMPLE_IMAGE, TEXT)
    assert again.names == whole.names
    np.testing.assert_array_equal(again.scores, whole.scores)


@pytest.mark.parametrize("name", ["hierkd_atss_r18_shapes", "vild_ensemble_r18_shapes"])
def test_other_detectors_run_in_half_precision(name: str) -> None:
    limits = Limits(0.0, 5)
    asked = ask(make_vocabulary(3), None, list, None)
    engine = Engine(load_config(name), None, torch.device("cpu"), asked, half=True)
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    (found,) = engine.detect([image], limits, keep_regions=False)
    assert found.boxes.dtype == found.scores.dtype == np.float32
    assert np.isfinite(found.boxes).all()
