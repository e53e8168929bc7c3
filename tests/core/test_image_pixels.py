"""Bytes, Pillow's images and arrays become the pixels that a file with the same values becomes."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ovdistill.core.images import ImageError, convert_image, decode_image, read_image

COLOURS = np.random.default_rng(0).integers(0, 256, (5, 7, 4), dtype=np.uint8)


def content_of(image: Image.Image, kind: str = "png", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.mark.parametrize("kind", ["png", "tiff", "webp"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 7])
def test_bytes_and_opened_images_are_turned_as_files_are(
    tmp_path: Path, kind: str, orientation: int
) -> None:
    options = dict(lossless=True) if kind == "webp" else {}
    image = Image.fromarray(COLOURS[..., :3])
    content = content_of(image, kind, exif=turned(orientation), **options)
    (tmp_path / "file").write_bytes(content)
    expected = read_image(tmp_path / "file")
    assert expected.shape[0] == (7 if orientation > 4 else 5)
    np.testing.assert_array_equal(decode_image(content), expected)
    for _ in range(2):  # the user's image is as it was
        opened = Image.open(io.BytesIO(content))
        np.testing.assert_array_equal(convert_image(opened), expected)
        np.testing.assert_array_equal(convert_image(opened), expected)


@pytest.mark.parametrize(
    "array",
    [
        COLOURS[..., :3],
        COLOURS,
        COLOURS[..., 0],
        COLOURS[..., 0] > 100,
        COLOURS[..., 0].astype(np.uint16) * 200,
        (COLOURS[..., 0] / 255).astype(np.float32),
    ],
    ids=["RGB", "RGBA", "grey", "bool", "uint16", "float"],
)
def test_an_array_becomes_what_its_file_becomes(tmp_path: Path, array: np.ndarray) -> None:
    image = Image.fromarray(array)
    image.save(tmp_path / "a.tif")
    expected = read_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(convert_image(array), expected)
    np.testing.assert_array_equal(convert_image(image), expected)
    if array.ndim == 2:
        np.testing.assert_array_equal(convert_image(array[..., None]), expected)
    assert convert_image(array[..., :3]).dtype == np.uint8


def test_rgb_is_not_copied_and_deep_colours_keep_the_upper_8_bits() -> None:
    rgb = np.ascontiguousarray(COLOURS[..., :3])
    assert np.shares_memory(convert_image(rgb), rgb)
    np.testing.assert_array_equal(convert_image(rgb.astype(np.uint16) * 256 + 9), rgb)
    np.testing.assert_array_equal(convert_image(rgb / 255), rgb)


@pytest.mark.parametrize(
    ("array", "problem"),
    [
        (np.zeros((3, 5, 7), np.uint8), "transpose"),
        (np.zeros((2, 5, 7, 3), np.uint8), "list"),
        (np.zeros((5, 7, 2), np.uint8), "(5, 7, 2)"),
        (np.zeros((0, 7, 3), np.uint8), "(0, 7, 3)"),
        (np.float32(0), "()"),
        (np.zeros((5, 7, 3), np.int64), "int64"),
        (np.full((5, 7, 3), 255.0), "255"),
        (np.full((5, 7, 3), np.nan), "NaN"),
    ],
)
def test_arrays_that_are_no_images(array: np.ndarray, problem: str) -> None:
    with pytest.raises(ImageError) as caught:
        convert_image(np.asarray(array), "frame 3")
    assert problem in caught.value.problem and "frame 3" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"", "0 bytes"), (b"<html>", "web page"), (content_of(Image.new("L", (9, 9)))[:45], "")],
)
def test_bytes_that_are_no_image(content: bytes, kind: str) -> None:
    with pytest.raises(ImageError, match="upload") as caught:
        decode_image(content, "upload")
    assert kind in caught.value.problem
