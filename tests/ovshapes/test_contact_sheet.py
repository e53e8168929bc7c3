"""The contact sheet."""

from __future__ import annotations

import numpy as np
import pytest

from ovdistill.core.errors import UserError
from ovdistill.core.images import read_image
from ovdistill.ovshapes.contact_sheet import contact_sheet, write_contact_sheet


def test_it_is_written_and_reproducible(tmp_path):
    path = tmp_path / "sheet.png"
    write_contact_sheet(path, seed=3)
    sheet = read_image(path)
    assert sheet.shape[1] == 6 * 256
    np.testing.assert_array_equal(sheet, contact_sheet(3))
    assert not np.array_equal(sheet, contact_sheet(4))


@pytest.mark.parametrize("name", ["sheet.jpg", "none/sheet.png"])
def test_bad_paths(tmp_path, name):
    with pytest.raises(UserError, match=name):
        write_contact_sheet(tmp_path / name)


@pytest.mark.parametrize("size", [3, 63, 1025])
def test_a_size_that_no_data_set_has(tmp_path, size):
    with pytest.raises(UserError, match=f"{size}; .*64 to 1024"):
        write_contact_sheet(tmp_path / "sheet.png", size=size)
