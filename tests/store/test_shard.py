"""A shard is there complete or not at all; damage is found and named."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from ovdistill.core.errors import UserError
from ovdistill.store.shard import DamagedShard, read_index, shard_path, verify_shard, write_shard
from ovdistill.store.stored_image import StoredImage

from .regions import random_regions

RECORD = dict(image_id=9, file="9.jpg", reason="no such file", whole=True)


def test_what_is_written_is_in_the_index(tmp_path: Path) -> None:
    records = [(7, random_regions(2)), (3, random_regions(0)), (5, random_regions(1))]
    path = write_shard(tmp_path, 4, "f", 8, records, [RECORD])
    assert path == shard_path(tmp_path, 4) and path.is_file()
    index = verify_shard(tmp_path, 4, "f")
    assert (index.image_ids.tolist(), index.offsets.tolist()) == ([7, 3, 5], [0, 2, 2, 3])
    assert index.skipped == (RECORD,)


def test_the_files_of_images_are_stated(tmp_path: Path) -> None:
    records = [(7, random_regions(2)), (3, random_regions(1))]
    files = [StoredImage.of_file("some/folder/ä.png", (20, 30)), StoredImage("b.png", 4, 5)]
    write_shard(tmp_path, 0, "f", 8, records, images=files)
    assert verify_shard(tmp_path, 0, "f").images == (("ä.png", 20, 30), ("b.png", 4, 5))
    write_shard(tmp_path, 1, "f", 8, records)  # as earlier versions did
    assert verify_shard(tmp_path, 1, "f").images == ()
    write_shard(tmp_path, 2, "f", 8, records, images=files[:1])
    with pytest.raises(DamagedShard, match="more or fewer files"):
        read_index(tmp_path, 2, "f")
    for image in (["a.png", 4], ["a.png", 4, 0], [3, 4, 5], ["a.png", 4, 5, 6], "abc"):
        write_shard(tmp_path, 3, "f", 8, records[:1], images=[image])  # type: ignore[list-item]
        with pytest.raises(DamagedShard, match="'images'"):
            read_index(tmp_path, 3, "f")


def test_a_shard_of_skipped_images_only(tmp_path: Path) -> None:
    write_shard(tmp_path, 0, "f", 8, [], [RECORD])
    index = verify_shard(tmp_path, 0, "f")
    assert (index.image_ids.tolist(), index.offsets.tolist()) == ([], [0])


def test_the_same_shard_is_the_same_file(tmp_path: Path) -> None:
    first = write_shard(tmp_path, 0, "f", 8, [(7, random_regions(2))]).read_bytes()
    assert write_shard(tmp_path, 0, "f", 8, [(7, random_regions(2))]).read_bytes() == first


@pytest.mark.parametrize(("store", "number"), [("another", 0), ("f", 1)])
def test_a_foreign_shard(tmp_path: Path, store: str, number: int) -> None:
    path = write_shard(tmp_path, 0, "f", 8, [(7, random_regions(2))])
    path.replace(shard_path(tmp_path, number))
    with pytest.raises(DamagedShard) as caught:
        read_index(tmp_path, number, store)
    assert caught.value.path == shard_path(tmp_path, number)
    assert "foreign" in caught.value.problem


def test_a_missing_shard(tmp_path: Path) -> None:
    with pytest.raises(DamagedShard) as caught:
        read_index(tmp_path, 0, "f")
    assert caught.value.problem == "missing"


def test_embeddings_of_another_width(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="8.*16"):
        write_shard(tmp_path, 0, "f", 16, [(7, random_regions(2))])
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, content: bytes) -> int:
        with open(self, "wb") as file:
            file.write(content[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UserError, match="no space.*shards are complete"):
        write_shard(tmp_path, 0, "f", 8, [(7, random_regions(2))])
    assert list(tmp_path.iterdir()) == []
