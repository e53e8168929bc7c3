"""What is found in folders as people have them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ovdistill.core.image_folders import list_folder, natural_key


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")


def below(root: Path, paths: list[Path]) -> list[str]:
    return [str(path.relative_to(root)) for path in paths]


def test_numbers_are_sorted_by_value_and_capitals_do_not_matter() -> None:
    names = [
        "b2.png",
        "B10.png",
        "a/x.png",
        "b1.png",
        "a/X 9.png",
        "a/x 010.png",
        "1.png",
        "²3.png",
    ]
    ordered = [str(path) for path in sorted(map(Path, names), key=natural_key)]
    assert ordered[:4] == ["1.png", "a/X 9.png", "a/x 010.png", "a/x.png"]
    assert ordered[4:] == ["b1.png", "b2.png", "B10.png", "²3.png"]


def test_a_folder_has_images_other_files_and_hidden_ones(tmp_path: Path) -> None:
    touch(tmp_path, "b/2.JPG", "b/10.Jpeg", "a.png", "notes.txt", "b/clip.MP4", "README")
    touch(tmp_path, ".DS_Store", "._a.png", "b/._2.JPG", ".cache/c.png", ".png")
    content = list_folder(tmp_path)
    assert below(tmp_path, content.images) == ["a.png", "b/2.JPG", "b/10.Jpeg"]
    assert below(tmp_path, content.others) == ["b/clip.MP4", "notes.txt", "README"]
    assert str(content).startswith("3 other files") and "1 of .mp4" in str(content)
    assert below(tmp_path, list_folder(tmp_path, depth=1).images) == ["a.png"]
    assert list_folder(tmp_path, depth=2) == content


def test_links_to_folders_are_followed_once(tmp_path: Path) -> None:
    touch(tmp_path, "data/a.png", "photos/b.png")
    (tmp_path / "photos/loop").symlink_to(tmp_path / "photos")
    (tmp_path / "photos/data").symlink_to(tmp_path / "data")
    (tmp_path / "photos/again").symlink_to(tmp_path / "data")
    (tmp_path / "photos/self.png").symlink_to("self.png")
    (tmp_path / "photos/gone.png").symlink_to("nowhere.png")
    names = [path.name for path in list_folder(tmp_path / "photos").images]
    assert sorted(names) == ["a.png", "b.png", "gone.png", "self.png"]


def test_folders_and_pipes_that_are_called_like_images(tmp_path: Path) -> None:
    touch(tmp_path, "a.png/b.png")
    os.mkfifo(tmp_path / "pipe.png")  # an error when it is read
    assert below(tmp_path, list_folder(tmp_path).images) == ["a.png/b.png", "pipe.png"]
    assert below(tmp_path, list_folder(tmp_path, depth=1).images) == ["pipe.png"]


@pytest.mark.parametrize("name", ["new\nline.png", "\udce9.png", "a" * 251 + ".png", "[1]*.png"])
def test_odd_names(tmp_path: Path, name: str) -> None:
    touch(tmp_path, name)
    assert list_folder(tmp_path).images == [tmp_path / name]


def test_a_folder_that_cannot_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a.png", "locked/b.png")
    original = os.scandir

    def scandir(path: Path):  # permissions do not stop root, who may run the tests
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return original(path)

    monkeypatch.setattr(os, "scandir", scandir)
    content = list_folder(tmp_path)
    assert below(tmp_path, content.images) == ["a.png"]
    assert content.unreadable == [tmp_path / "locked"]
    with pytest.raises(PermissionError):
        list_folder(tmp_path / "locked")
