"""Zero-shot accuracy of the shipped teacher."""

from __future__ import annotations

import pytest

from ovdistill.core.assets import TEACHER_DIR
from ovdistill.core.errors import UserError
from ovdistill.ovshapes.generate import make_ovshapes
from ovdistill.ovshapes.teacher.accuracy import accuracy_table


def test_the_shipped_teacher_knows_the_objects(tmp_path):
    root = make_ovshapes(tmp_path, train=1, val=12, test=1, workers=1)
    lines = accuracy_table(TEACHER_DIR, root).splitlines()
    assert len(lines) == 9 and lines[-2].endswith("objects of 12 val images.")
    everything = [float(line.split("|")[2]) for line in lines[2:6]]
    assert min(everything) > 80
    assert "own name 0.8" in lines[-1]
    # CLIP's gap changes the cosines and no answer; the weak teacher is often wrong
    clip = accuracy_table(TEACHER_DIR, root, ["ovshapes-clip"]).splitlines()
    assert clip[2:-1] == lines[2:-1] and "two names 0.720" in clip[-1]
    weak = accuracy_table(TEACHER_DIR, root, ["ovshapes-weak"]).splitlines()
    assert 20 < float(weak[2].split("|")[2]) < 60


def test_no_data_set(tmp_path):
    with pytest.raises(UserError, match="instances_val.json"):
        accuracy_table(TEACHER_DIR, tmp_path)
