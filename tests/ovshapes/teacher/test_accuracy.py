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
    assert len(lines) == 8 and lines[-1].endswith("objects of 12 val images.")
    everything = [float(line.split("|")[2]) for line in lines[2:6]]
    assert min(everything) > 80


def test_no_data_set(tmp_path):
    with pytest.raises(UserError, match="instances_val.json"):
        accuracy_table(TEACHER_DIR, tmp_path)
