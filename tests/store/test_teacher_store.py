"""A store of shards: what is written is read, and nothing else is."""

import json
import os
import pickle

import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.store import Regions, TeacherStore, write_store
from ovdistill.store.meta import read_meta
from ovdistill.store.shard import write_shard

from .regions import random_regions

IDS = [7, 2, 900_000_000_000, 1]
COUNTS = [3, 0, 5, 2]


@pytest.fixture
def folder(tmp_path):
    records = ((i, random_regions(n, seed=i)) for i, n in zip(IDS, COUNTS, strict=True))
    return write_store(tmp_path / "store", records, {"teacher": "t"}, images_per_shard=2)


def test_round_trip_across_shards(folder):
    store = TeacherStore(folder)
    assert store.meta.provenance == {"teacher": "t", "dim": 8}
    assert store.teacher == TeacherId("t")
    assert store.image_ids == IDS
    assert (len(store), 2 in store, 3 in store) == (4, True, False)
    for image_id, count in zip(IDS, COUNTS, strict=True):
        assert store.count(image_id) == count
        written, read = random_regions(count, seed=image_id), store[image_id]
        assert torch.equal(read.boxes, written.boxes)  # float32: exact beyond 512 pixels too
        assert torch.equal(read.objectness, written.objectness)
        unit = torch.nn.functional.normalize(written.embeddings, dim=1).half()
        assert read.embeddings.dtype == torch.float16
        assert torch.equal(read.embeddings, unit)
    assert store[2].boxes.shape == (0, 4)
    names = ["meta.json", "shard-00000.safetensors", "shard-00001.safetensors"]
    names.append("verified.json")
    assert sorted(os.listdir(folder)) == names
    assert read_meta(folder).counts == dict(pictures=4, regions=10, skipped=0)


def test_an_image_that_comes_twice_is_named(tmp_path):
    records = [(image_id, random_regions(1)) for image_id in (1, 2, 3, 2)]
    with pytest.raises(UserError, match="image 2 comes twice"):
        write_store(tmp_path / "store", records, {"teacher": "t"})


def test_missing_image_raises(folder):
    with pytest.raises(UserError, match=r"image 8 is not in .*ovdistill extract"):
        TeacherStore(folder)[8]


def test_skipped_image_says_why(folder):
    meta = read_meta(folder)
    record = dict(image_id=8, file="8.jpg", reason="no such file", whole=True)
    write_shard(folder, 1, meta.fingerprint, meta.embed_dim, [(1, random_regions(2))], [record])
    store = TeacherStore(folder)
    with pytest.raises(UserError, match=r"image 8 was skipped \(no such file\)"):
        store[8]
    assert store.known_ids == {7, 2, 1, 8}
    assert store.known_ids is store.known_ids  # asked for each image of a training


def test_pickled_and_forked(folder):
    store = TeacherStore(folder)
    first = store[7].boxes
    assert torch.equal(pickle.loads(pickle.dumps(store))[7].boxes, first)
    loader = torch.utils.data.DataLoader(
        [7], batch_size=None, num_workers=1, collate_fn=lambda i: store[i].boxes,
        multiprocessing_context="fork",
    )  # fmt: skip
    assert torch.equal(next(iter(loader)), first)


def test_incomplete_and_damaged_stores(folder, tmp_path):
    shard = folder / "shard-00001.safetensors"
    content = shard.read_bytes()
    for damaged in (content[:-10], content[:20], b""):
        shard.write_bytes(damaged)
        with pytest.raises(UserError, match=r"shard-00001.safetensors is truncated or damaged"):
            TeacherStore(folder)
    shard.unlink()
    with pytest.raises(UserError, match=r"1 of 2 shards are missing .*shard-00001"):
        TeacherStore(folder)
    with pytest.raises(UserError, match="no teacher store in .*ovdistill extract"):
        TeacherStore(tmp_path / "missing")
    (tmp_path / "file").write_bytes(b"earlier format")
    with pytest.raises(UserError, match="is a file; expected a store"):
        TeacherStore(tmp_path / "file")


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "damaged"), ("[]", "damaged"), ('{"format": "other"}', "of format other")],
)
def test_damaged_meta(folder, text, message):
    (folder / "meta.json").write_text(text)
    with pytest.raises(UserError, match=message):
        TeacherStore(folder)


def test_a_shard_of_another_store(folder, tmp_path):
    other = write_store(tmp_path / "other", [(1, random_regions(2))], {"teacher": "another"})
    (other / "shard-00000.safetensors").replace(folder / "shard-00001.safetensors")
    with pytest.raises(UserError, match="foreign: shard 0 of store"):
        TeacherStore(folder)


@pytest.mark.parametrize(
    "records",
    [
        [],
        [(1, random_regions(2)), (1, random_regions(2))],
        [(1, Regions(torch.zeros(2, 4), torch.zeros(1), torch.ones(2, 3)))],
        [(1, Regions(torch.zeros(2, 5), torch.zeros(2), torch.ones(2, 3)))],
        [(1, Regions(torch.zeros(2, 4), torch.zeros(2), torch.zeros(2, 3)))],
        [(1, Regions(torch.zeros(1, 4), torch.zeros(1), torch.full((1, 3), torch.nan)))],
    ],
)
def test_bad_records_leave_no_file(tmp_path, records):
    with pytest.raises(UserError):
        write_store(tmp_path / "store", records, {})
    assert os.listdir(tmp_path) == []


def test_a_store_is_never_written_over(folder):
    before = json.loads((folder / "meta.json").read_text())
    with pytest.raises(UserError, match="not empty"):
        write_store(folder, [(1, random_regions(2))], {})
    assert json.loads((folder / "meta.json").read_text()) == before
