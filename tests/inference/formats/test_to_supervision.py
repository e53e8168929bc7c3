"""supervision gets the same objects, where it is installed."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from ovdistill.core.errors import UserError

from .examples import detections, reduced


@pytest.mark.parametrize(
    "found",
    [detections(), reduced(), detections(masks=False), detections(0)],
    ids=["whole", "reduced", "boxes", "nothing"],
)
def test_supervision_has_the_same_objects(found) -> None:
    pytest.importorskip("supervision")
    other = found.to_supervision()
    assert len(other) == len(found)
    np.testing.assert_array_equal(other.xyxy, found.boxes)
    np.testing.assert_array_equal(other.class_id, found.labels)
    assert other["class_name"].tolist() == list(found.names)
    assert len(other[other.confidence > 0.6]) == len(found.filter(min_score=0.6))
    if found.masks is not None and len(found):
        np.testing.assert_array_equal(other.mask, np.stack([*found.full_masks()]))


@pytest.mark.parametrize("found", [detections(), detections(0)], ids=["some", "nothing"])
def test_supervision_draws_them(found) -> None:
    supervision = pytest.importorskip("supervision")
    drawn = supervision.MaskAnnotator().annotate(found.image.copy(), found.to_supervision())
    assert (drawn != found.image).any() == bool(len(found))


def test_supervision_follows_objects_by_their_track_ids() -> None:
    supervision = pytest.importorskip("supervision")
    assert detections().to_supervision().tracker_id is None
    frame = np.zeros((*detections().size, 3), np.uint8)
    trace = supervision.TraceAnnotator(color_lookup=supervision.ColorLookup.TRACK)
    for step in range(3):  # the first object moves, the last one has no number
        moved = detections().boxes + np.float32([[10 * step, 0] * 2])
        found = replace(detections(), boxes=moved, track_ids=np.array([5, 2, 7, 0]))
        other = found.to_supervision()
        assert other.tracker_id.tolist() == [5, 2, 7, -1]
        drawn = trace.annotate(frame.copy(), other)
        assert drawn.any() == (step > 0)
    nothing = replace(detections(0), track_ids=np.zeros(0, np.int64)).to_supervision()
    assert nothing.tracker_id.shape == (0,)


@pytest.mark.parametrize("package", ["supervision", "fiftyone"])
def test_a_missing_package_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # importing it raises ModuleNotFoundError
    with pytest.raises(UserError, match=rf"ovdistill\[{package}\]"):
        getattr(detections(), f"to_{package}")()
