"""Half precision finds the same objects, with boxes, scores and embeddings in float32."""

from __future__ import annotations

import numpy as np
import torch
from torchvision.ops import box_iou

from ovdistill import Detector
from ovdistill.core.assets import SAMPLE_IMAGE

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
