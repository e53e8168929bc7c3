"""supervision gets the same objects, where it is installed."""

from __future__ import annotations

import sys

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


@pytest.mark.parametrize("package", ["supervision", "fiftyone"])
def test_a_missing_package_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # importing it raises ModuleNotFoundError
    with pytest.raises(UserError, match=rf"ovdistill\[{package}\]"):
        getattr(detections(), f"to_{package}")()
