"""Images of every kind are read by the rules of core.images, or their problem is named."""

import numpy as np
import pytest
import torch
from PIL import Image

from ovdistill.extraction.images import ImageFile, image_loader, load_image

SMOOTH = np.asarray(
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)).resize(
        (60, 40), Image.BICUBIC
    )
)


def pixels(path, size=(40, 60)):
    file = ImageFile(1, str(path), size)
    image = load_image(file)
    assert image.file == file
    assert image.problem == ""
    assert (image.pixels.dtype, image.pixels.shape) == (torch.uint8, (3, *size))
    return image.pixels.permute(1, 2, 0).numpy().astype(int)


def test_rgb(tmp_path):
    Image.fromarray(SMOOTH).save(tmp_path / "p.png")
    assert np.array_equal(pixels(tmp_path / "p.png"), SMOOTH)


def test_grey_and_cmyk(tmp_path):
    Image.fromarray(SMOOTH).convert("L").save(tmp_path / "grey.png")
    grey = pixels(tmp_path / "grey.png")
    assert np.array_equal(grey[..., 0], np.asarray(Image.fromarray(SMOOTH).convert("L")))
    assert np.array_equal(grey[..., 0], grey[..., 2])
    Image.fromarray(SMOOTH).convert("CMYK").save(tmp_path / "cmyk.jpg", quality=98)
    assert np.abs(pixels(tmp_path / "cmyk.jpg") - SMOOTH).mean() < 4


def test_sixteen_bits_are_divided_not_cut(tmp_path):
    deep = (SMOOTH[..., 0].astype(np.uint16)) * 257
    Image.fromarray(deep).save(tmp_path / "deep.png")
    assert np.array_equal(pixels(tmp_path / "deep.png")[..., 1], SMOOTH[..., 0])
    Image.fromarray(deep // 1000).save(tmp_path / "dark.png")  # dark, not of 8 bits
    assert pixels(tmp_path / "dark.png").max() == 0


def test_exif_rotation_is_applied_and_compared_with_the_annotations(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees
    Image.fromarray(SMOOTH).save(tmp_path / "p.png", exif=exif)
    upright = pixels(tmp_path / "p.png", (60, 40))
    assert np.array_equal(upright, np.rot90(SMOOTH, -1))
    found = load_image(ImageFile(1, str(tmp_path / "p.png"), (40, 60)))
    assert found.pixels is None
    assert "40 x 60" in found.problem and "60 x 40" in found.problem


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_truncated_and_unreadable_files(tmp_path, suffix):
    path = tmp_path / f"p.{suffix}"
    Image.fromarray(SMOOTH).save(path)
    content = path.read_bytes()
    for part in (content[: len(content) // 2], content[:30], b"", b"no image"):
        path.write_bytes(part)
        found = load_image(ImageFile(1, str(path), (40, 60)))
        assert found.pixels is None and found.problem
    path.unlink()
    assert "no such file" in load_image(ImageFile(1, str(path))).problem


@pytest.mark.parametrize("workers", [0, 1])
def test_loader(tmp_path, workers):
    for number in range(3):
        Image.fromarray(SMOOTH).save(tmp_path / f"{number}.png")
    files = [ImageFile(n, str(tmp_path / f"{n}.png")) for n in (2, 0, 1, 7)]
    found = [*image_loader(files, [[0, 1], [3], [2]], workers)]
    assert [[p.file.image_id for p in batch] for batch in found] == [[2, 0], [7], [1]]
    assert [[bool(p.problem) for p in batch] for batch in found] == [[False] * 2, [True], [False]]
