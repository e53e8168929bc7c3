"""Which objects and images of an annotation file are measured."""

import json

import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations import read_annotations
from ovdistill.evaluation.regions.objects import (
    draw_images,
    regions_and_objects,
    shared_images,
)
from ovdistill.store import Regions, TeacherStore, write_store
from ovdistill.store.stored_image import StoredImage


def test_images_are_drawn_alike_and_leave_the_generators_alone():
    state = torch.get_rng_state()
    drawn = draw_images(range(100, 200), 10)
    assert drawn == draw_images(range(100, 200), 10) == sorted({*drawn})
    assert {*drawn} <= {*range(100, 200)} and len(drawn) == 10
    assert draw_images([3, 1, 2], 9) == [3, 1, 2]
    assert torch.equal(torch.get_rng_state(), state)


@pytest.fixture
def found(tmp_path):
    """Image 1: an object, a crowd, one of another category, two too thin. Image 2: nothing."""
    rows = [(5, 10, 0), (5, 10, 1), (6, 10, 0), (5, 0.5, 0)]
    annotations = [
        dict(id=i, image_id=1, category_id=c, bbox=[2, 3, w, 10], area=10 * w, iscrowd=crowd)
        for i, (c, w, crowd) in enumerate(rows)
    ]
    annotations.append(dict(id=9, image_id=1, category_id=5, bbox=[31.5, 3, 9, 9], area=81))
    images = [dict(id=i, file_name=f"{i}.png", height=32, width=32) for i in (1, 2)]
    categories = [dict(id=5, name="cat"), dict(id=6, name="dog")]
    path = tmp_path / "ann.json"
    path.write_text(json.dumps(dict(images=images, annotations=annotations, categories=categories)))
    return read_annotations(path, warn=False)


def store_of(folder, *ids: int) -> TeacherStore:
    regions = Regions(torch.tensor([[0.0, 0, 5, 5]]), torch.ones(1), torch.ones(1, 2))
    return TeacherStore(write_store(folder, [(i, regions) for i in ids], {}))


def test_objects_are_those_of_training(found, tmp_path):
    store = store_of(tmp_path / "regions", 2, 1, 9)
    assert shared_images(store, found) == [1, 2]
    (regions, first), (_, second) = regions_and_objects(store, found, {5: 3}, [1, 2])
    assert len(regions) == 1
    assert (first.boxes.tolist(), first.labels.tolist()) == ([[2, 3, 12, 13]], [3])
    assert (second.boxes.shape, second.labels.tolist()) == ((0, 4), [])


def test_a_store_whose_ids_are_of_other_images(found, tmp_path):
    regions = Regions(torch.tensor([[0.0, 0, 5, 5]]), torch.ones(1), torch.ones(1, 2))
    for name, fits in (("2.png", True), ("1.png", False)):
        images = {2: StoredImage(name, 32, 32)}
        store = TeacherStore(write_store(tmp_path / name, [(2, regions)], {}, images=images))
        if fits:
            assert shared_images(store, found) == [2]
            continue
        with pytest.raises(UserError, match=r"ann\.json: 1 of 1 images .* id 2 was '1\.png'"):
            shared_images(store, found)


def test_a_store_of_other_images(found, tmp_path):
    with pytest.raises(UserError, match="none of the 2 images"):
        shared_images(store_of(tmp_path / "regions", 7), found)
