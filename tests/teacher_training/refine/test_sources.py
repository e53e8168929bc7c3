"""Images to refine with: without labels, or with the regions of a store."""

import numpy as np
import pytest
import torch
from PIL import Image

from ovdistill.core.errors import UserError
from ovdistill.core.images import ImageError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.store import Regions, TeacherStore
from ovdistill.store.mapped_tensors import MappedTensors
from ovdistill.store.teacher_store import write_store
from ovdistill.teacher_training.refine.sources import StoredRegions, UnlabelledImages

TEACHER = TeacherId("t", "0" * 16)


@pytest.fixture
def files(tmp_path):
    paths = {number: tmp_path / f"{number}.png" for number in (1, 2, 3)}
    for number, path in paths.items():
        Image.new("RGB", (40, 30), (number, 0, 0)).save(path)
    return paths


def sized(files, size=(30, 40)):
    return {number: (path, size) for number, path in files.items()}


def make_store(folder, **provenance):
    boxes = torch.tensor([[0.0, 0, 10, 10], [5, 5, 30, 20]])
    records = [
        (number, Regions(boxes[:count], torch.ones(count), torch.randn(count, 4)))
        for number, count in ((1, 2), (2, 0), (3, 1), (9, 1))
    ]
    return TeacherStore(write_store(folder, records, {**TEACHER.to_header(), **provenance}))


def test_boxes_are_drawn(files):
    source = UnlabelledImages([*files.values()], "random")
    sample = source.sample(1, np.random.default_rng(0))
    assert sample.image.shape == (3, 30, 40) and sample.image[0, 0, 0] == 2
    assert len(source) == 3 and sample.boxes.shape[1] == 4 and sample.crops is None
    described = source.describe()
    assert (described["images"], described["boxes"]) == (3, "random")
    others = [path.with_name(f"other-{path.name}") for path in files.values()]
    assert UnlabelledImages(others, "random").describe() != described
    with pytest.raises(UserError, match="no images"):
        UnlabelledImages([])
    with pytest.raises(UserError, match="'cells'"):
        UnlabelledImages([*files.values()], "cells")


def test_regions_of_a_store(files, tmp_path, monkeypatch):
    store = make_store(tmp_path / "store")
    with monkeypatch.context() as patch:
        patch.setattr(MappedTensors, "__getitem__", None)  # no region is read
        source = StoredRegions(store, sized(files), TEACHER)
    assert source.ids == [1, 3]  # 2 has no regions, 9 no file
    sample = source.sample(0, np.random.default_rng(0))
    assert torch.equal(sample.boxes, store[1].boxes) and sample.image[0, 0, 0] == 1
    assert torch.equal(sample.crops, store[1].embeddings.float())
    assert source.describe() == dict(images=2, store=store.meta.fingerprint)


def test_boxes_of_an_image_that_has_been_resized(files, tmp_path):
    source = StoredRegions(make_store(tmp_path / "store"), sized(files, (60, 80)), TEACHER)
    with pytest.raises(ImageError, match="40 x 30 pixels, but 80 x 60 in the annotations"):
        source.sample(0, np.random.default_rng(0))


def test_other_stores(files, tmp_path):
    store = make_store(tmp_path / "store")
    with pytest.raises(UserError, match="another"):
        StoredRegions(store, sized(files), TeacherId("another", "1" * 16))
    with pytest.raises(UserError, match="no image with regions"):
        StoredRegions(store, sized({2: files[2]}), TEACHER)
    dense = make_store(tmp_path / "dense", crops=dict(mode="dense", size=64))
    with pytest.raises(UserError, match="expected crops"):
        StoredRegions(dense, sized(files), TEACHER)
