"""Scores that can be read as probabilities."""

from __future__ import annotations

import numpy as np
import pytest

from ovdistill.core.errors import UserError
from ovdistill.inference.calibration import Calibration, fit


def drawn(count: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Scores that are too low: of those with s, sigmoid(2 logit(s) + 1) are right."""
    rng = np.random.default_rng(0)
    scores = rng.uniform(0.02, 0.98, count)
    truth = Calibration(2.0, 1.0).probabilities(scores)
    return scores, rng.uniform(size=count) < truth


def test_the_curve_is_found_and_the_error_falls():
    found = fit(*drawn())
    assert found.slope == pytest.approx(2, abs=0.1) and found.intercept == pytest.approx(1, abs=0.1)
    assert found.error_before > 0.1 and found.error_after < 0.02


def test_probabilities_keep_the_order_and_turn_back():
    curve = Calibration(2.7, 0.4)
    scores = np.linspace(0, 1, 101)
    assert (np.diff(curve.probabilities(scores)) >= 0).all()
    assert curve.probabilities(np.array([curve.score(0.3)])) == pytest.approx(0.3)
    assert curve.score(0) == 0 and curve.score(1) == 1


def test_what_cannot_be_fitted():
    scores, right = drawn(200)
    with pytest.raises(UserError, match="50 or more"):
        fit(scores[:10], right[:10])
    with pytest.raises(UserError, match="no higher scores"):
        fit(scores, ~right)
    assert fit(scores, np.ones(200, bool)).slope > 0  # all right: the curve stays finite


def test_files(tmp_path):
    path = tmp_path / "calibration.json"
    Calibration(2.0, -0.5, 100).save(path)
    assert Calibration.load(path) == Calibration(2.0, -0.5)
    huge = f'{{"slope": 1{"0" * 400}, "intercept": 0}}'
    curves = ('{"slope": -1, "intercept": 0}', '{"slope": NaN, "intercept": 0}', huge)
    for text in ("{}", "no", "[" * 100_000, *curves):
        path.write_text(text)
        with pytest.raises(UserError, match="calibration.json"):
            Calibration.load(path)


def test_a_calibration_of_other_weights_is_refused(tmp_path):
    path, weights, others = (tmp_path / name for name in ("c.json", "a.pth", "b.pth"))
    weights.write_bytes(b"a")
    others.write_bytes(b"b")
    Calibration(2.0, -0.5).save(path, weights)
    assert Calibration.load(path, weights) == Calibration.load(path) == Calibration(2.0, -0.5)
    with pytest.raises(UserError, match="c.json was fitted to other weights than .*b.pth"):
        Calibration.load(path, others)
    Calibration(2.0, -0.5).save(path)  # as files from before the hash was kept
    assert Calibration.load(path, others) == Calibration(2.0, -0.5)
