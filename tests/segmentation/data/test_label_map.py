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

from ..label_files import write_grey_png, write_image

VALUES = np.array([[0, 1, 2], [255, 7, 20]])


@pytest.mark.parametrize("mode", [None, "P"])
def test_eight_bits_and_palettes_give_their_values(tmp_path, mode):
    path = write_image(tmp_path / "a.png", VALUES.astype(np.uint8), mode)
    found = read_label_map(path, (2, 3))
    assert found.dtype == np.int32 and found.tolist() == VALUES.tolist()


def test_sixteen_bits(tmp_path):
    values = VALUES.astype(np.uint16) * 250
    assert read_label_map(write_image(tmp_path / "a.png", values)).tolist() == values.tolist()


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_grey_files_of_few_bits_give_the_values_that_they_store(tmp_path, bits):
    values = np.arange(12).reshape(3, 4) % min(2**bits, 12)
    path = write_grey_png(tmp_path / "a.png", values, bits)
    assert read_label_map(path).tolist() == values.tolist()


@pytest.mark.parametrize("largest", [20, 255, 1000, 65535])
def test_a_pgm_file_has_its_values_or_is_refused(tmp_path, largest):
    values = np.array([[0, 1, 2, 20]])
    content = values.astype(np.uint8 if largest < 256 else ">u2").tobytes()
    for name, body in (
        ("raw.pgm", b"P5 4 1 %d\n" % largest + content),
        ("plain.pgm", b"P2 4 1 %d\n0 1 2 20\n" % largest),
    ):
        path = tmp_path / name
        path.write_bytes(body)
        if largest in (255, 65535):
            assert read_label_map(path).tolist() == values.tolist()
        else:
            with pytest.raises(ImageError, match=f"maximum of {largest}.*PNG"):
                read_label_map(path)


def test_inverted_values_and_cut_colours_are_refused(tmp_path):
    (tmp_path / "a.pbm").write_bytes(b"P4 4 1\n\x60")
    with pytest.raises(ImageError, match="inverted"):
        read_label_map(tmp_path / "a.pbm")
    write_grey_png(tmp_path / "b.png", np.arange(12).reshape(2, 6), 16, colour=2)
    with pytest.raises(ImageError, match="16 bits"):
        read_segment_ids(tmp_path / "b.png")


@pytest.mark.parametrize("inverted", [False, True])
def test_tiff_files_of_black_and_white_and_of_grey(tmp_path, inverted):
    path = tmp_path / "a.tif"
    Image.fromarray(VALUES.astype(np.uint8)).save(path, tiffinfo={262: int(not inverted)})
    if inverted:
        with pytest.raises(ImageError, match="inverted"):
            read_label_map(path)
    else:
        assert read_label_map(path).tolist() == VALUES.tolist()


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
