"""Images and queries: what is read, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ovdistill.core.errors import UserError
from ovdistill.core.images import find_images, read_image
from ovdistill.inference.queries import parse_queries


def test_images_are_rgb_and_upright(tmp_path):
    image = np.zeros((4, 6, 3), np.uint8)
    image[0, 0] = [10, 20, 30]
    Image.fromarray(image).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), image)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    Image.fromarray(image).save(tmp_path / "turned.png", exif=exif)
    turned = read_image(tmp_path / "turned.png")
    assert turned.shape == (6, 4, 3) and tuple(turned[0, 3]) == (10, 20, 30)
    Image.fromarray(image[..., 0]).save(tmp_path / "grey.png")
    assert read_image(tmp_path / "grey.png").shape == (4, 6, 3)


def test_a_damaged_image_is_refused(tmp_path):
    path = tmp_path / "a.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(path)
    content = path.read_bytes()
    for damaged in (b"", b"not an image", content[: len(content) // 2]):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match="a.jpg"):
            read_image(path)
    with pytest.raises(UserError, match="no image at"):
        read_image(tmp_path / "missing.png")


def test_directories(tmp_path):
    with pytest.raises(UserError, match="no image or directory"):
        find_images(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(UserError, match="no images in"):
        find_images(tmp_path)
    for name in ("b.PNG", "a.jpg"):
        (tmp_path / name).touch()
    assert [path.name for path in find_images(tmp_path)] == ["a.jpg", "b.PNG"]
    assert find_images(tmp_path / "a.jpg") == [tmp_path / "a.jpg"]


def test_queries():
    assert parse_queries(" red  star, ring,,red star ") == ("red star", "ring")
    assert parse_queries(["a, b", "c"]) == ("a, b", "c")
    for empty in ("", " , ", []):
        with pytest.raises(UserError, match="no query"):
            parse_queries(empty)
