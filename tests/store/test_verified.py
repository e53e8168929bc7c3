"""Changed bits are found when a store is opened; each shard is read for that only once."""

import os

import pytest

from ovdistill.core.errors import UserError
from ovdistill.store import TeacherStore, verified, write_store
from ovdistill.store.maintenance import verify

from .regions import random_regions


@pytest.fixture
def folder(tmp_path):
    records = [(image_id, random_regions(3, seed=image_id)) for image_id in range(5)]
    return write_store(tmp_path / "store", records, {"teacher": "t"}, 2)


@pytest.fixture
def compared(monkeypatch):
    """Return the numbers of the shards whose checksums were compared."""
    numbers = []

    def spy(folder, number, store):
        numbers.append(number)
        return original(folder, number, store)

    original = verified.verify_shard
    monkeypatch.setattr(verified, "verify_shard", spy)
    return numbers


def flip(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def test_a_changed_bit_is_found_when_the_store_is_opened(folder):
    TeacherStore(folder)
    flip(folder / "shard-00001.safetensors", -1)
    with pytest.raises(UserError, match=r"shard-00001\.safetensors"):
        TeacherStore(folder)
    flip(folder / "shard-00001.safetensors", -1)
    TeacherStore(folder)


def test_each_shard_is_read_once(folder, compared):
    TeacherStore(folder)
    TeacherStore(folder)
    assert sorted(compared) == [0, 1, 2]
    os.utime(folder / "shard-00002.safetensors")
    TeacherStore(folder)
    assert sorted(compared) == [0, 1, 2, 2]
    assert verify(folder).shards == 3  # the note belongs to the store


@pytest.mark.parametrize("note", ["{", "[]", '{"shard-00000.safetensors": 5}', "[" * 100_000])
def test_a_damaged_note_is_no_note(folder, compared, note):
    (folder / verified.NAME).write_text(note)
    TeacherStore(folder)
    assert sorted(compared) == [0, 1, 2]


def test_a_folder_that_cannot_be_written_to(folder, compared, monkeypatch):
    def refuse(*args, **kwargs):
        raise UserError("cannot write")

    monkeypatch.setattr(verified, "write_json", refuse)
    TeacherStore(folder)
    TeacherStore(folder)
    assert len(compared) == 3
    monkeypatch.setattr(verified, "COMPARED", {})  # as in another process
    TeacherStore(folder)
    assert len(compared) == 6


def test_an_interruption_does_not_start_over(folder, compared, monkeypatch):
    monkeypatch.setattr(verified, "SHARDS_PER_NOTE", 1)
    flip(folder / "shard-00002.safetensors", -1)
    with pytest.raises(UserError, match=r"shard-00002\.safetensors"):
        TeacherStore(folder)
    flip(folder / "shard-00002.safetensors", -1)
    monkeypatch.setattr(verified, "COMPARED", {})
    TeacherStore(folder)
    assert sorted(compared) == [0, 1, 2, 2]
