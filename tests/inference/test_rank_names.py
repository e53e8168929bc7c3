"""The class names that fit a detection, and the kinds that count as a name."""

from __future__ import annotations

import pytest

from ovdistill.core.assets import SAMPLE_IMAGE
from ovdistill.core.errors import UserError
from ovdistill.inference.detector import Detector


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.from_pretrained("ovshapes", device="cpu")


def test_the_names_that_fit_a_detection_are_ranked(detector: Detector) -> None:
    found = detector.predict(SAMPLE_IMAGE, "green star, ring")
    ranked = detector.rank_names(found[0], most=4)
    assert ranked[0] == ("green star", pytest.approx(found[0].score))
    assert found[0].runner_up in ranked  # of all names, those that compete included
    assert len(ranked) == 4 and len(set(dict(ranked)) - {"green star", "ring"}) >= 2
    with pytest.raises(UserError, match="requery first"):
        detector.requery(found, "solid circle")
        detector.rank_names(found[0])
    with pytest.raises(UserError, match="one detection"):
        detector.rank_names(found[:0])


def test_phrases_of_a_name_are_ranked_as_one(detector: Detector) -> None:
    found = detector.predict(SAMPLE_IMAGE, {"thing": ["green star", "solid star"]})
    assert detector.rank_names(found[0], most=1) == [("thing", pytest.approx(found[0].score))]


def test_kinds_of_a_name_count_as_it(detector: Detector) -> None:
    alone = detector.predict(SAMPLE_IMAGE, "heart", background=None)
    found = detector.predict(SAMPLE_IMAGE, "heart, zebra")
    assert found.names == ("heart",) and found.queries == ("heart", "zebra")
    assert len(alone) > 1  # which all other objects are as well, where nothing competes
