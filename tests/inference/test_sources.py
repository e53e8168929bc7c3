"""Whatever names images is found; what names none is one clear error."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path, PurePath

import numpy as np
import pytest
import torch
from PIL import Image

from ovdistill.core.errors import UserError
from ovdistill.core.images import ImageError
from ovdistill.inference.source_paths import find_paths
from ovdistill.inference.sources import find_sources

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder: 2.png, 10.png, trip/a.JPG, trip/day/b.gif, notes.txt, .hidden.png."""
    folder = tmp_path / "photos"
    (folder / "trip" / "day").mkdir(parents=True)
    for name in ("10.png", "2.png", "trip/a.JPG", "trip/day/b.gif", ".hidden.png"):
        Image.fromarray(PIXELS).save(folder / name)
    (folder / "notes.txt").write_text("")
    return folder


def names(folder: Path, source: object) -> list[str]:
    return [os.path.relpath(found.path, folder) for found in find_sources(source)]


def test_an_image_by_its_path(photos: Path) -> None:
    for path in (photos / "2.png", str(photos / "2.png")):
        (source,) = find_sources(path)
        assert source.path == photos / "2.png" and source.name == str(photos / "2.png")
        np.testing.assert_array_equal(source.load(), PIXELS)
    (gif,) = find_sources(photos / "trip/day/b.gif")  # given by name, any suffix will do
    assert gif.load().shape == PIXELS.shape


def test_a_folder_is_searched_with_those_below_it(photos: Path) -> None:
    found = find_sources(photos)
    assert names(photos, photos) == ["2.png", "10.png", "trip/a.JPG"]
    assert [path.name for path in found.others] == ["notes.txt", "b.gif"]
    assert "3 images, 2 other files" in repr(found)
    assert found[1:] == list(found)[1:]


def test_videos_are_told_from_other_files_without_comparing_each_pair(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("1.mp4", "2.mp4", "a.txt"):
        (photos / name).write_text("")
    compared: list[object] = []
    monkeypatch.setattr(PurePath, "__eq__", lambda one, other: compared.append(other) or False)
    found = find_paths(photos, videos=True)
    assert [path.name for path in found.videos] == ["1.mp4", "2.mp4"]
    assert [path.name for path in found.others] == ["a.txt", "notes.txt", "b.gif"]
    assert not compared


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.png", ["2.png", "10.png"]),
        ("**/*.png", ["2.png", "10.png"]),
        ("**/*.gif", ["trip/day/b.gif"]),
        ("**", ["2.png", "10.png", "trip/a.JPG"]),
        ("*", ["2.png", "10.png"]),
        ("*/*.[jJ][pP]*", ["trip/a.JPG"]),
        ("**/day/**/*.gif", ["trip/day/b.gif"]),
        ("tr*/**/?.gif", ["trip/day/b.gif"]),
    ],
)
def test_patterns(photos: Path, pattern: str, expected: list[str]) -> None:
    assert names(photos, f"{photos}/{pattern}") == expected
    assert names(photos, photos / pattern) == expected


def test_a_relative_pattern_and_the_home_folder(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photos)
    assert [source.name for source in find_sources("*.png")] == ["2.png", "10.png"]
    monkeypatch.setenv("HOME", str(photos.parent))
    assert len(find_sources("~/photos/*.png")) == 2


def test_a_file_that_is_called_like_a_pattern(photos: Path) -> None:
    (photos / "2.png").rename(photos / "img[1].png")
    assert names(photos, photos / "img[1].png") == ["img[1].png"]


def test_one_image_is_told_from_several(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(photos))
    path = str(photos / "2.png")
    content = (photos / "2.png").read_bytes()
    for one in (path, Path(path), "~/2.png", PIXELS, content, io.BytesIO(content)):
        assert find_sources(one).single and len(find_sources(one)) == 1
    pixels = {"a": PIXELS, "b": PIXELS}
    for several in (
        *({path, "~/10.png"}, pixels.values(), dict.fromkeys([path]).keys()),
        *([path], (PIXELS,), iter([path]), photos, f"{photos}/2.*"),
    ):
        assert not find_sources(several).single


def test_a_list_keeps_its_order_and_repeats_but_searches_add_each_file_once(photos: Path) -> None:
    listed = [photos / "10.png", str(photos / "2.png"), photos / "10.png"]
    assert names(photos, listed) == ["10.png", "2.png", "10.png"]
    mixed = (photos / "10.png", photos, f"{photos}/trip/../*.png", photos / "2.png")
    assert names(photos, mixed) == ["10.png", "2.png", "trip/a.JPG"]
    assert names(photos, photos.glob("*.png")) == names(photos, [[*photos.glob("*.png")]])
    assert len(find_sources([])) == 0


def test_images_in_memory_have_the_pixels_of_the_file(photos: Path) -> None:
    content = (photos / "2.png").read_bytes()
    tensor = torch.from_numpy(PIXELS).permute(2, 0, 1)
    values = [PIXELS, tensor, tensor / 255, (tensor / 255).double().requires_grad_()]
    values += [content, bytearray(content), io.BytesIO(content), Image.fromarray(PIXELS)]
    values += [Image.open(photos / "2.png"), open(photos / "2.png", "rb")]
    sources = find_sources(values)
    for source in sources:
        for _ in range(2):
            np.testing.assert_array_equal(source.load(), PIXELS)
        assert source.path is None
    assert [source.name for source in sources[:2]] == ["image_0", "image_1"]
    assert [source.name for source in sources[-2:]] == [str(photos / "2.png")] * 2
    assert find_sources(PIXELS)[0].name == "image"
    values[-1].close()


def test_grey_and_transparent_tensors() -> None:
    grey = torch.arange(54, dtype=torch.uint8).reshape(6, 9)
    for tensor in (grey, grey[None]):
        np.testing.assert_array_equal(find_sources(tensor)[0].load()[..., 2], grey.numpy())
    rgba = torch.cat([torch.from_numpy(PIXELS).permute(2, 0, 1), grey[None]])
    np.testing.assert_array_equal(find_sources(rgba)[0].load(), PIXELS)


def test_a_buffer_that_was_just_written_is_read_from_its_beginning() -> None:
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "png")
    np.testing.assert_array_equal(find_sources(buffer)[0].load(), PIXELS)


def test_standard_input(photos: Path) -> None:
    code = (
        "import sys; from ovdistill.inference.sources import find_sources\n"
        "(source,) = find_sources('-')\n"
        "assert 'torch' not in sys.modules\n"
        "print(source.name, source.load().shape)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=(photos / "2.png").read_bytes(),
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode().strip() == "stdin (6, 9, 3)"


def test_a_file_that_is_called_like_standard_input(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (photos / "2.png").rename(photos / "-")
    monkeypatch.chdir(photos)
    for path in (Path("-"), "./-"):
        assert find_sources(path)[0].load().shape == PIXELS.shape


def test_a_damaged_file_is_an_error_only_when_it_is_read(photos: Path) -> None:
    (photos / "3.png").write_bytes(b"<html>")
    bad = find_sources(photos)[1]
    with pytest.raises(ImageError, match="web page"):
        bad.load()


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("phots", "photos"),
        ("phots/trip", "photos"),
        ("photos/trp", "trip"),
        ("photos/trip/a.jpg", "a.JPG"),
        ("photos/1.png", "2.png"),
        ("phots/*.png", "photos"),
        ("photos/*.jpg", "4 files|3 files"),
        ("photos/trip/day", r"\.gif"),
        ("new\nline.png", r"new\\nline"),
        ("nul\0.png", "embedded null"),
        ("a" * 300, "too long"),
        ("photos/2.png/3.png", "Not a directory"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(photos: Path, missing: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        find_sources(f"{photos.parent}/{missing}")
    with pytest.raises(UserError):
        find_sources([photos, f"{photos.parent}/{missing}"])


@pytest.mark.parametrize("value", [None, 3, {"image": PIXELS}, io.StringIO("x"), [None], ""])
def test_what_is_no_image_at_all(value: object) -> None:
    with pytest.raises(UserError, match="expected"):
        find_sources(value)


def test_addresses_are_not_fetched() -> None:
    with pytest.raises(UserError, match="fetch"):
        find_sources("https://example.org/a.jpg")


@pytest.mark.parametrize("shape", [(6, 9, 3), (2, 3, 6, 9), (9,)])
def test_tensors_of_another_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageError, match=r"\(3, H, W\)"):
        find_sources(torch.zeros(shape))[0].load()
