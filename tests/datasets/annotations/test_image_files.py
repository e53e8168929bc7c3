"""The images of a data set against what its annotations say."""

import numpy as np
import pytest
from PIL import Image

from ovdistill.core.errors import UserError
from ovdistill.core.images import write_image
from ovdistill.datasets.annotations.image_files import check_image_files


@pytest.fixture
def folder(tmp_path):
    """Images of 40 x 30; ``turned.jpg`` is stored so, and shown as 30 x 40."""
    pixels = np.zeros((30, 40, 3), np.uint8)
    for name in ("a.png", "b.png"):
        write_image(tmp_path / name, pixels)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(tmp_path / "turned.jpg", exif=exif)
    (tmp_path / "damaged.png").write_bytes(b"no image")
    return tmp_path


def image(name: str, width: int = 40, height: int = 30) -> dict:
    return dict(file_name=name, width=width, height=height)


def test_images_as_they_should_be(folder):
    found = check_image_files([image("a.png"), image("turned.jpg", 30, 40)], folder)
    assert not (found.missing or found.damaged or found.other_size)
    found.raise_for_misfits(folder / "ann.json")


def test_other_sizes_are_an_error_that_names_both(folder):
    records = [image("a.png"), image("b.png", 80, 60), image("turned.jpg")]
    found = check_image_files(records, folder)
    with pytest.raises(UserError, match=r"2 of the 3 .*b\.png.*40 x 30.*80 x 60"):
        found.raise_for_misfits(folder / "ann.json")
    assert "EXIF" in found.other_size[1] and "EXIF" not in found.other_size[0]


def test_missing_images_are_an_error(folder):
    found = check_image_files([image("a.png"), image("no.png"), image("n" * 300)], folder)
    with pytest.raises(UserError, match=r"2 of the 3 .*no\.png"):
        found.raise_for_misfits(folder / "ann.json")


def test_damaged_images_are_counted_unless_all_are(folder):
    found = check_image_files([image("a.png"), image("damaged.png")], folder)
    assert len(found.damaged) == 1 and "damaged.png" in found.damaged[0]
    found.raise_for_misfits(folder / "ann.json")
    with pytest.raises(UserError, match="none of the 1"):
        check_image_files([image("damaged.png")], folder).raise_for_misfits(folder / "ann.json")
