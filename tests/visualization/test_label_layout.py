"""Where labels go."""

from __future__ import annotations

import numpy as np
import pytest

from ovdistill.visualization.label_layout import overlap, place_label


def test_labels_stay_inside_and_do_not_hide_one_another():
    rng = np.random.default_rng(0)
    canvas, size, taken = (640.0, 640.0), (150.0, 22.0), []
    for x, y in rng.uniform(-20, 600, (40, 2)):
        area = place_label((x, y, x + 100, y + 100), size, canvas, taken)
        assert 0 <= area[0] <= area[2] <= 640 and 0 <= area[1] <= area[3] <= 640
        assert area[2] - area[0] == pytest.approx(150)
        assert not any(overlap(area, other) for other in taken)
        taken.append(area)


def test_a_lone_label_sits_on_top_of_its_box():
    assert place_label((100, 100, 300, 200), (80, 20), (640, 480), []) == (100, 80, 180, 100)
    # no room above: below
    assert place_label((100, 5, 300, 200), (80, 20), (640, 480), [])[1] == 200
