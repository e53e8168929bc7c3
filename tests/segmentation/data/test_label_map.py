"""Reading label maps, and their values as rows."""

import numpy as np
import pytest
from PIL import Image

from ovdistill.core.errors import UserError
from ovdistill.core.images import ImageError
from ovdistill.segmentation.data.label_map import (
    IGNORE,
    lookup_of,
    read_label_map,
    read_segment_ids,
    values_to_rows,
)

from ..label_files import write_image

VALUES = np.array([[0, 1, 2], [255, 7, 20]])


@pytest.mark.parametrize("mode", [None, "P"])
def test_eight_bits_and_palettes_give_their_values(tmp_path, mode):
    path = write_image(tmp_path / "a.png", VALUES.astype(np.uint8), mode)
    found = read_label_map(path, (2, 3))
    assert found.dtype == np.int32 and found.tolist() == VALUES.tolist()


def test_sixteen_bits(tmp_path):
    values = VALUES.astype(np.uint16) * 250
    assert read_label_map(write_image(tmp_path / "a.png", values)).tolist() == values.tolist()


def test_segment_ids_are_red_and_256_green_and_65536_blue(tmp_path):
    pixels = np.array([[[1, 2, 3], [255, 0, 0]]], np.uint8)
    ids = read_segment_ids(write_image(tmp_path / "a.png", pixels))
    assert ids.tolist() == [[1 + 2 * 256 + 3 * 65536, 255]]


def test_a_map_of_another_size_names_both(tmp_path):
    path = write_image(tmp_path / "a.png", VALUES.astype(np.uint8))
    with pytest.raises(ImageError, match=r"a\.png.*3 x 2.*4 x 5"):
        read_label_map(path, (5, 4))


def test_colours_and_lossy_files_are_no_label_maps(tmp_path):
    colours = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(ImageError, match="RGB"):
        read_label_map(write_image(tmp_path / "a.png", colours))
    with pytest.raises(ImageError, match="JPEG"):
        read_label_map(write_image(tmp_path / "a.jpg", colours[..., 0]))
    with pytest.raises(ImageError, match="mode L"):
        read_segment_ids(write_image(tmp_path / "b.png", colours[..., 0]))
    with pytest.raises(ImageError, match="no such file"):
        read_label_map(tmp_path / "c.png")


@pytest.mark.parametrize("value", [-5, 1 << 24])
def test_values_that_no_data_set_has(tmp_path, value):
    Image.fromarray(np.full((2, 2), value, np.int32)).save(tmp_path / "a.tif")
    with pytest.raises(ImageError, match=str(value)):
        read_label_map(tmp_path / "a.tif")


def test_values_become_rows():
    lookup = lookup_of({1: 4, 7: 0}, known={0: (), 1: ("a",), 2: ("b",), 7: ("c",), 20: ("d",)})
    rows = values_to_rows(VALUES.astype(np.int32), lookup, "a.png")
    assert rows.tolist() == [[IGNORE, 4, IGNORE], [IGNORE, 0, IGNORE]]


def test_unknown_values_are_counted():
    lookup = lookup_of({1: 0}, known={1: ("a",)})
    values = np.array([[1, 3, 3], [1, 70_000, 255]], np.int32)
    with pytest.raises(UserError, match=r"2 values.*3 \(2 pixels\), 70000 \(1 pixels\)"):
        values_to_rows(values, lookup, "a.png")
