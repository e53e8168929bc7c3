import os
import pickle

import pytest
import torch

from ovdistill.errors import UserError
from ovdistill.store import Regions, TeacherStore, write_store


def regions(count, seed=0, width=8):
    generator = torch.Generator().manual_seed(seed)
    boxes = torch.rand(count, 4, generator=generator) * 1000
    embeddings = torch.randn(count, width, generator=generator)
    return Regions(boxes, torch.rand(count, generator=generator), embeddings)


@pytest.fixture
def path(tmp_path):
    records = [(7, regions(3, 1)), (2, regions(0)), (900_000_000_000, regions(5, 2))]
    return write_store(tmp_path / "t.safetensors", iter(records), {"teacher": "t", "scales": [1.0]})


def test_round_trip(path):
    store = TeacherStore(path)
    assert store.header == {"teacher": "t", "scales": [1.0]}
    assert store.image_ids == [7, 2, 900_000_000_000]
    assert (len(store), 2 in store, 3 in store) == (3, True, False)
    written = regions(3, 1)
    read = store[7]
    assert torch.equal(read.boxes, written.boxes)  # float32: exact beyond 512 pixels too
    assert torch.equal(read.objectness, written.objectness)
    unit = torch.nn.functional.normalize(written.embeddings, dim=1).half()
    assert read.embeddings.dtype == torch.float16
    assert torch.equal(read.embeddings, unit)
    assert (len(store[2]), store[2].boxes.shape) == (0, (0, 4))
    assert torch.equal(store[900_000_000_000].boxes, regions(5, 2).boxes)
    assert os.listdir(path.parent) == ["t.safetensors"]


def test_missing_image_raises(path):
    with pytest.raises(UserError, match=r"image 8 is not in .*ovdistill extract"):
        TeacherStore(path)[8]


def test_pickled_and_forked(path):
    store = TeacherStore(path)
    first = store[7].boxes
    assert torch.equal(pickle.loads(pickle.dumps(store))[7].boxes, first)
    loader = torch.utils.data.DataLoader(
        [7], batch_size=None, num_workers=1, collate_fn=lambda i: store[i].boxes,
        multiprocessing_context="fork",
    )  # fmt: skip
    assert torch.equal(next(iter(loader)), first)


def test_damaged_files(path, tmp_path):
    content = path.read_bytes()
    for damaged in (content[:-10], content[:20], b""):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match="damaged or incomplete"):
            TeacherStore(path)
    with pytest.raises(UserError, match="no file"):
        TeacherStore(tmp_path / "missing")


@pytest.mark.parametrize(
    "records",
    [
        [],
        [(1, regions(2)), (1, regions(2))],
        [(1, Regions(torch.zeros(2, 4), torch.zeros(1), torch.ones(2, 3)))],
        [(1, Regions(torch.zeros(2, 5), torch.zeros(2), torch.ones(2, 3)))],
        [(1, Regions(torch.zeros(2, 4), torch.zeros(2), torch.zeros(2, 3)))],
        [(1, Regions(torch.zeros(1, 4), torch.zeros(1), torch.full((1, 3), torch.nan)))],
    ],
)
def test_bad_records_leave_no_file(tmp_path, records):
    with pytest.raises(UserError):
        write_store(tmp_path / "t.safetensors", records, {})
    assert os.listdir(tmp_path) == []
