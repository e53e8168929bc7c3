"""Ids of a store that mean other images now are found, and every store that is made keeps files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from torch.nn.functional import normalize

from ovdistill.core.centring import centring_map
from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.store import TeacherStore, write_store
from ovdistill.store.maintenance import merge, verify
from ovdistill.store.map_store import map_store
from ovdistill.store.same_images import check_same_images, image_changes
from ovdistill.store.stored_image import StoredImage

from .regions import random_regions

TEACHER = TeacherId("tiny", "0123456789abcdef")
FILES = {number: StoredImage(f"{number}.png", 20, 30) for number in (4, 2, 9, 7, 1)}


def make(folder: Path, files: dict[int, StoredImage], *, stated: bool = True) -> Path:
    records = [(number, random_regions(2, seed=number)) for number in files]
    return write_store(folder, records, TEACHER.to_header(), 2, files if stated else None)


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, ""),
        ({5: StoredImage("new.png", 1, 1)}, ""),  # not in the store
        ({2: StoredImage("3.png", 20, 30)}, "1 of 5 images are other files: id 2 was '2.png'"),
        ({7: StoredImage("7.png", 40, 60)}, "of 30 x 20, and is '7.png' of 60 x 40 now"),
        ({2: FILES[4], 4: FILES[2]}, "2 of 5 images"),
    ],
)
def test_changes(tmp_path: Path, changed: dict[int, StoredImage], found: str) -> None:
    store = TeacherStore(make(tmp_path / "store", FILES))
    assert found in image_changes(store, FILES | changed)
    assert bool(found) == bool(image_changes(store, FILES | changed))
    if found:
        with pytest.raises(UserError, match="store is not of the images of train.json: "):
            check_same_images(store, FILES | changed, "train.json")
    else:
        check_same_images(store, FILES | changed, "train.json")


def test_nothing_is_said_of_images_that_are_not_asked_about(tmp_path: Path) -> None:
    store = TeacherStore(make(tmp_path / "store", FILES))
    assert image_changes(store, {}) == ""
    assert "1 of 1" in image_changes(store, {1: StoredImage("x.png", 20, 30)})


def test_a_store_of_an_earlier_version_states_no_files(tmp_path: Path) -> None:
    store = TeacherStore(make(tmp_path / "store", FILES, stated=False))
    assert image_changes(store, {4: StoredImage("x.png", 1, 1)}) == ""


def test_some_shards_state_files_and_others_do_not(tmp_path: Path) -> None:
    """As in a store of an earlier version that was finished by this one, or merged with one."""
    other = {number: StoredImage(f"{number}.png", 5, 6) for number in (11, 12, 13)}
    folders = [make(tmp_path / "a", FILES, stated=False), make(tmp_path / "b", other)]
    merge(folders, tmp_path / "merged")
    one, two = (tmp_path / name / "shard-00001.safetensors" for name in ("c", "a"))
    make(tmp_path / "c", FILES)
    shutil.copy(one, two)  # its fingerprint is the same: it does not depend on what is stated
    verify(tmp_path / "merged")
    verify(tmp_path / "a")
    renamed = {number: image._replace(name="x") for number, image in (FILES | other).items()}
    store = TeacherStore(tmp_path / "merged")
    assert len(store) == 8 and image_changes(store, FILES | other) == ""
    assert "3 of 3 images" in image_changes(store, renamed)
    store = TeacherStore(tmp_path / "a")
    assert image_changes(store, FILES) == ""
    assert "2 of 2 images are other files: id 9 was '9.png'" in image_changes(store, renamed)


def test_merging_and_mapping_keep_the_files(tmp_path: Path) -> None:
    other = {number: StoredImage(f"{number}.png", 5, 6) for number in (11, 12)}
    folders = [make(tmp_path / "a", FILES), make(tmp_path / "b", other)]
    merge(folders, tmp_path / "merged")
    texts = normalize(torch.rand(4, 8), dim=1)
    mapping = centring_map(normalize(torch.rand(9, 8), dim=1), texts, TEACHER)
    map_store(tmp_path / "merged", mapping, tmp_path / "mapped")
    for name in ("merged", "mapped"):
        store = TeacherStore(tmp_path / name)
        assert image_changes(store, FILES | other) == ""
        renamed = {number: image._replace(name="x") for number, image in (FILES | other).items()}
        assert "7 of 7 images" in image_changes(store, renamed)
