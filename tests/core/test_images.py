"""Every kind of image file is read by the same rules; bad ones are one clear error."""

from __future__ import annotations

import os
import random
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ovdistill.core import image_pixels, images
from ovdistill.core.errors import UserError
from ovdistill.core.images import ImageError, read_image, read_image_size, write_image

ORIENTATION = 0x0112  # the EXIF tag
# how each orientation's stored pixels become upright ones (EXIF 2.3, section 4.6.4)
UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    8: lambda a: np.rot90(a),
}


def blocks() -> np.ndarray:
    """Return (24, 32, 3) uint8: four colours that differ, in blocks that compress without loss."""
    colours = np.array([[[200, 40, 40], [40, 180, 60]], [[40, 60, 200], [230, 230, 220]]], np.uint8)
    return colours.repeat(12, axis=0).repeat(16, axis=1)


def save(pixels: np.ndarray, path: Path, **options: object) -> Path:
    Image.fromarray(pixels).save(path, **options)
    return path


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "ppm", "gif", "webp"])
def test_formats_without_loss(tmp_path: Path, suffix: str) -> None:
    path = save(
        blocks(), tmp_path / f"a.{suffix}", **(dict(lossless=True) if suffix == "webp" else {})
    )
    pixels = read_image(path)
    assert pixels.dtype == np.uint8 and pixels.flags.writeable
    np.testing.assert_array_equal(pixels, blocks())


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("suffix", ["jpg", "webp", "png", "tif"])
def test_exif_orientation_is_applied_in_every_format(
    tmp_path: Path, suffix: str, orientation: int
) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    options = dict(jpg=dict(quality=98, subsampling=0), webp=dict(lossless=True))
    path = save(blocks(), tmp_path / f"a.{suffix}", exif=exif, **options.get(suffix, {}))
    pixels, expected = read_image(path), UPRIGHT[orientation](blocks())
    assert pixels.shape == expected.shape
    assert read_image_size(path) == pixels.shape[:2]
    assert np.abs(pixels.astype(int) - expected).max() <= (12 if suffix == "jpg" else 0)


def test_an_orientation_behind_the_pixels_of_a_png_is_none(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    content = save(blocks(), tmp_path / "a.png", exif=exif).read_bytes()
    start = content.index(b"eXIf") - 4
    end = start + 12 + int.from_bytes(content[start : start + 4], "big")
    tail = content.index(b"IEND") - 4
    moved = content[:start] + content[end:tail] + content[start:end] + content[tail:]
    (tmp_path / "b.png").write_bytes(moved)
    assert read_image_size(tmp_path / "b.png") == read_image(tmp_path / "b.png").shape[:2]
    np.testing.assert_array_equal(read_image(tmp_path / "b.png"), blocks())


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_grey_is_a_ramp_and_not_white(tmp_path: Path, suffix: str) -> None:
    ramp = np.linspace(0, 65535, 256).round().astype(np.uint16)[None].repeat(4, axis=0)
    pixels = read_image(save(ramp, tmp_path / f"ramp.{suffix}"))
    assert pixels.shape == (4, 256, 3)
    np.testing.assert_array_equal(pixels[0, :, 0], np.arange(256))
    np.testing.assert_array_equal(pixels[..., 0], pixels[..., 2])


def test_grey_and_bilevel_become_rgb(tmp_path: Path) -> None:
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    pixels = read_image(save(grey, tmp_path / "grey.png"))
    np.testing.assert_array_equal(pixels, grey[..., None].repeat(3, axis=2))
    pixels = read_image(save(grey > 100, tmp_path / "two.png"))
    np.testing.assert_array_equal(pixels[..., 1], (grey > 100) * 255)


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    cmyk = np.zeros((8, 8, 4), np.uint8)
    cmyk[..., 1] = cmyk[..., 2] = 255  # magenta and yellow ink: red
    Image.fromarray(cmyk, mode="CMYK").save(tmp_path / "a.tif")
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif")[4, 4], [255, 0, 0])
    Image.fromarray(cmyk, mode="CMYK").save(tmp_path / "a.jpg", quality=98)
    assert np.abs(read_image(tmp_path / "a.jpg")[4, 4].astype(int) - [255, 0, 0]).max() <= 6


def test_palette_with_and_without_transparency_becomes_rgb(tmp_path: Path) -> None:
    palette = Image.fromarray(blocks()).quantize(4)
    palette.save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), blocks())
    palette.save(tmp_path / "b.png", transparency=0)
    np.testing.assert_array_equal(read_image(tmp_path / "b.png"), blocks())


@pytest.mark.parametrize("alpha", [0, 128, 255])
def test_alpha_is_dropped(tmp_path: Path, alpha: int) -> None:
    rgba = np.dstack([blocks(), np.full(blocks().shape[:2], alpha, np.uint8)])
    np.testing.assert_array_equal(read_image(save(rgba, tmp_path / "a.png")), blocks())


def test_the_first_frame_of_an_animation_is_read(tmp_path: Path) -> None:
    frames = [Image.fromarray(blocks()), Image.fromarray(blocks()[::-1])]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(read_image(tmp_path / "a.gif"), blocks())


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif", "bmp"])
def test_a_truncated_file(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    path = save(noise, tmp_path / f"a.{suffix}")
    content = path.read_bytes()
    for length in (0, 5, 60, len(content) // 2):
        path.write_bytes(content[:length])
        with pytest.raises(ImageError, match=path.name):
            read_image(path)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, about tags that it skips
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif", "bmp", "gif", "ppm"])
def test_changed_bytes_give_an_image_or_the_one_error(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    path = save(
        noise,
        tmp_path / f"a.{suffix}",
        **({} if suffix in ("bmp", "gif", "ppm") else dict(exif=exif)),
    )
    content, generator = path.read_bytes(), random.Random(0)
    for _ in range(150):
        changed = bytearray(content)
        for _ in range(3):
            changed[generator.randrange(min(len(changed), 400))] = generator.randrange(256)
        path.write_bytes(changed)
        try:
            pixels = read_image(path)
        except ImageError as error:
            assert error.problem
        else:
            assert pixels.ndim == 3 and pixels.dtype == np.uint8


def test_what_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("a letter")
    for path, problem in (
        (tmp_path / "a.png", "identify"),
        (tmp_path / "missing.png", "no such file"),
        (tmp_path, "folder"),
    ):
        with pytest.raises(ImageError, match=path.name) as caught:
            read_image(path)
        assert isinstance(caught.value, UserError)
        assert problem in caught.value.problem and str(path) in str(caught.value)


def test_an_image_that_is_too_large_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(blocks(), tmp_path / "a.png")
    monkeypatch.setattr(images, "MAX_PIXELS", 24 * 32)
    read_image(path)
    monkeypatch.setattr(images, "MAX_PIXELS", 24 * 32 - 1)
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    with pytest.raises(ImageError) as caught:
        read_image(path)
    assert "32 x 24" in caught.value.problem and "767" in caught.value.problem


def test_pillows_limit_is_not_ours_and_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(blocks(), tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    np.testing.assert_array_equal(read_image(path), blocks())
    assert Image.MAX_IMAGE_PIXELS == 10
    with pytest.raises(ImageError):
        read_image(tmp_path / "missing.png")
    assert Image.MAX_IMAGE_PIXELS == 10


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_image(tmp_path / "new" / "a.png", blocks())
    assert b"IDAT\x78\x01" in (tmp_path / "new" / "a.png").read_bytes()  # zlib's fastest level
    np.testing.assert_array_equal(read_image(tmp_path / "new" / "a.png"), blocks())
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["a.png"]


def test_large_images_are_converted_in_strips(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(blocks(), tmp_path / "a.png")
    deep = save(np.arange(24 * 32, dtype=np.uint16).reshape(24, 32) * 80, tmp_path / "deep.png")
    whole = read_image(path), read_image(deep)
    monkeypatch.setattr(image_pixels, "STRIP", 5 * 32)
    np.testing.assert_array_equal(read_image(path), whole[0])
    np.testing.assert_array_equal(read_image(deep), whole[1])


def test_floating_point_values_are_scaled_from_0_to_1(tmp_path: Path) -> None:
    ramp = np.linspace(0, 1, 256, dtype=np.float32)[None].repeat(4, axis=0)
    pixels = read_image(save(ramp, tmp_path / "ramp.tif"))
    np.testing.assert_array_equal(pixels[2, :, 1], np.arange(256))


@pytest.mark.parametrize("value", [1.5, -0.1, 200.0, np.nan, np.inf, 70_000, -3])
def test_values_without_a_known_white_are_an_error(tmp_path: Path, value: float) -> None:
    kind = np.int32 if isinstance(value, int) else np.float32
    pixels = np.zeros((4, 4), kind)
    pixels[1, 1] = value
    with pytest.raises(ImageError) as caught:
        read_image(save(pixels, tmp_path / "a.tif"))
    assert "convert" in caught.value.problem


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P", "L", "1"])
def test_modes_with_and_without_transparency_keep_their_colours(tmp_path: Path, mode: str) -> None:
    black_and_white = np.kron([[0, 255], [255, 0]], np.ones((8, 8))).astype(np.uint8)
    Image.fromarray(black_and_white).convert(mode).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png")[..., 1], black_and_white)


@pytest.mark.parametrize(
    ("suffix", "options"),
    [("png", {}), ("webp", dict(lossless=True)), ("tif", {}), ("mpo", dict(quality=98))],
)
def test_the_first_of_several_images_is_read(tmp_path: Path, suffix: str, options: dict) -> None:
    frames = [Image.fromarray(np.full((32, 32, 3), value, np.uint8)) for value in (40, 200)]
    frames[0].save(tmp_path / f"a.{suffix}", save_all=True, append_images=frames[1:], **options)
    assert np.abs(read_image(tmp_path / f"a.{suffix}").astype(int) - 40).max() <= 2


def test_damaged_exif_data_do_not_matter(tmp_path: Path) -> None:
    path = save(blocks(), tmp_path / "a.jpg", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff", quality=98)
    assert read_image(path).shape == blocks().shape
    assert read_image_size(path) == blocks().shape[:2]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"<!DOCTYPE html><html>404", "web page"),
        (b'<?xml version="1.0"?><svg xmlns="x">', "SVG"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1", "HEIC"),
        (b"\0\0\0\x18ftypisom\0\0\0\0mp41", "video"),
        (b"%PDF-1.7", "PDF"),
        (b"version https://git-lfs.github.com/spec/v1", "LFS"),
        (b"", "0 bytes"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "identify"),  # never run
    ],
)
def test_what_a_file_is_instead_of_an_image(tmp_path: Path, content: bytes, kind: str) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(ImageError) as caught:
        read_image(tmp_path / "a.jpg")
    assert kind in caught.value.problem


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    for path in (tmp_path / "pipe.png", Path("/dev/zero")):
        with pytest.raises(ImageError, match="regular"):
            read_image(path)


@pytest.mark.parametrize("name", ["a" * 300 + ".png", "a\0.png", "new\nline \udce9 '.png"])
def test_odd_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(ImageError):
        read_image(tmp_path / name)
    if len(name) < 300 and "\0" not in name:
        np.testing.assert_array_equal(
            read_image(save(blocks(), tmp_path / name, format="PNG")), blocks()
        )


def test_a_declared_size_of_10_billion_pixels(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    (tmp_path / "a.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    )
    with pytest.raises(ImageError, match="100000 x 100000"):
        read_image(tmp_path / "a.png")
