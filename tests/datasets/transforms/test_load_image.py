"""The transform that reads an image: BGR, and one clear error for what cannot be read."""

import cv2
import numpy as np
import pytest
from PIL import Image

from ovdistill.core.errors import UserError
from ovdistill.datasets.transforms.load_image import LoadImage

COLOUR = (10, 20, 30)  # BGR


@pytest.fixture
def path(tmp_path):
    cv2.imwrite(str(tmp_path / "image.png"), np.full((4, 6, 3), COLOUR, np.uint8))
    return tmp_path / "image.png"


def test_pixels_are_bgr(path):
    results = LoadImage()(dict(img_path=str(path)))
    assert results["img"].dtype == np.uint8 and results["img"].flags["C_CONTIGUOUS"]
    assert (results["img"] == COLOUR).all()
    assert results["img_shape"] == results["ori_shape"] == (4, 6)


def test_the_name_in_older_configs():
    from mmdet.registry import TRANSFORMS

    assert TRANSFORMS.get("LoadPicture") is TRANSFORMS.get("LoadImage") is LoadImage


@pytest.mark.parametrize("content", [b"", b"no image", None])
def test_files_that_cannot_be_read_are_named(tmp_path, path, content):
    bad = tmp_path / "bad.png"
    bad.write_bytes(path.read_bytes()[:20] if content is None else content)
    with pytest.raises(UserError, match="bad.png"):
        LoadImage()(dict(img_path=str(bad)))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="missing.png.*data_root"):
        LoadImage()(dict(img_path=str(tmp_path / "missing.png")))


def test_another_size_than_annotated_is_an_error(tmp_path, path):
    with pytest.raises(UserError, match="image.png.*6 x 4.*12 x 8"):
        LoadImage()(dict(img_path=str(path), height=8, width=12))
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(path).save(tmp_path / "turned.jpg", exif=exif)
    with pytest.raises(UserError, match="4 x 6.*6 x 4.*EXIF"):
        LoadImage()(dict(img_path=str(tmp_path / "turned.jpg"), height=4, width=6))
    assert LoadImage()(dict(img_path=str(tmp_path / "turned.jpg"), height=6, width=4))
