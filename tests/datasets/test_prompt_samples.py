"""Which regions are learned from: by IoU with base boxes, and by nothing novel."""

import json

import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.datasets.prompt_samples import (
    match_regions,
    read_embeddings,
    read_samples,
    split_images,
)
from ovdistill.store import Regions, TeacherStore, write_store
from ovdistill.store.stored_image import StoredImage
from ovdistill.vocabulary import Vocabulary
from ovdistill.vocabulary.learn.samples import BACKGROUND

VOCABULARY = Vocabulary(
    ("cat", "emu", "dog"), torch.eye(3), torch.tensor([True, False, True]), TeacherId("t")
)
BOX = [0.0, 0.0, 10.0, 10.0]


def boxes(*rows):
    return torch.tensor(rows, dtype=torch.float32).reshape(-1, 4)


def up_to(height):
    """A region inside of BOX with an IoU of height / 10."""
    return [0.0, 0.0, 10.0, height]


def make_store(path, regions):
    """{image id: boxes}; the embedding's second entry tells the region's number."""
    records = []
    for image_id, own in regions.items():
        number = torch.arange(len(own)) / 10
        embeddings = torch.stack([number.cos(), number.sin()], dim=1)
        records.append((image_id, Regions(boxes(*own), torch.ones(len(own)), embeddings)))
    return TeacherStore(write_store(path, records, {}))


def write_annotations(path, objects):
    """objects: (image id, name, xywh[, crowd])."""
    ids = {name: 10 + row for row, name in enumerate(VOCABULARY.names)}
    content = dict(
        images=[dict(id=i, file_name=f"{i}.png", width=100, height=100) for i in range(20)],
        categories=[dict(id=i, name=name) for name, i in ids.items()],
        annotations=[
            dict(
                id=row,
                image_id=image,
                category_id=ids[name],
                bbox=box,
                area=box[2] * box[3],
                iscrowd=int(bool(crowd)),
            )
            for row, (image, name, box, *crowd) in enumerate(objects)
        ],
    )
    path.write_text(json.dumps(content))
    return path


def test_match_takes_the_box_of_the_highest_overlap():
    regions = boxes(up_to(9.0), [0, 4, 10, 14], [50, 50, 60, 60])
    labels, ious = match_regions(regions, boxes(BOX, [0, 5, 10, 15]), torch.tensor([2, 0]))
    assert labels.tolist() == [2, 0, BACKGROUND]
    assert ious.tolist() == pytest.approx([0.9, 9 / 11, 0])


def test_match_at_the_exact_edge_and_without_boxes():
    labels, _ = match_regions(boxes(up_to(5.0), up_to(4.999)), boxes(BOX), torch.tensor([1]))
    assert labels.tolist() == [1, BACKGROUND]
    labels, ious = match_regions(boxes(BOX), boxes(), torch.tensor([], dtype=torch.int64))
    assert (labels.tolist(), ious.tolist()) == ([BACKGROUND], [0])


def test_regions_become_samples_by_their_overlap(tmp_path):
    own = [up_to(10.0), up_to(5.0), up_to(4.999), up_to(1.0), up_to(0.999), [50, 50, 60, 60]]
    store = make_store(tmp_path / "s", {3: own, 4: [BOX]})
    file = write_annotations(tmp_path / "a.json", [(3, "dog", [0, 0, 10, 10])])
    samples = read_samples([store], file, VOCABULARY, {3, 4}, background=1.0)
    assert samples.labels.tolist() == [2, 2, BACKGROUND, BACKGROUND]
    assert samples.ious.tolist() == pytest.approx([1, 0.5, 0.4999, 0.1])
    assert torch.equal(samples.embeddings, store[3].embeddings[:4])
    assert read_samples([store], file, VOCABULARY, {3}, background=0).labels.tolist() == [2, 2]
    assert len(read_samples([store], file, VOCABULARY, {4}, background=1.0)) == 0


def test_novel_boxes_have_no_effect(tmp_path):
    """A region over a novel object is judged by the base boxes alone."""
    over_novel = [20.0, 20.0, 30.0, 30.0]  # no base box near: no sample
    beside_base = [0.0, 8.0, 10.0, 18.0]  # the novel box itself; IoU 1/9 with base: background
    novel = [(3, "emu", [20, 20, 10, 10]), (3, "emu", [0, 8, 10, 10]), (3, "emu", [0, 0, 10, 7])]
    # the last region is the third novel box itself, but overlaps the base box by 0.7
    store = make_store(tmp_path / "s", {3: [over_novel, beside_base, up_to(7.0)]})
    base = [(3, "cat", [0, 0, 10, 10])]
    with_novel = write_annotations(tmp_path / "a.json", base + novel)
    samples = read_samples([store], with_novel, VOCABULARY, {3}, background=1.0)
    assert samples.labels.tolist() == [BACKGROUND, 0]
    assert samples.ious.tolist() == pytest.approx([1 / 9, 0.7])
    without = write_annotations(tmp_path / "b.json", base)
    other = read_samples([store], without, VOCABULARY, {3}, background=1.0)
    assert torch.equal(samples.labels, other.labels) and torch.equal(samples.ious, other.ious)
    assert torch.equal(samples.embeddings, other.embeddings)


def test_crowds_are_no_boxes(tmp_path):
    store = make_store(tmp_path / "s", {3: [BOX]})
    file = write_annotations(tmp_path / "a.json", [(3, "cat", [0, 0, 10, 10], True)])
    assert len(read_samples([store], file, VOCABULARY, {3}, background=1.0)) == 0


def test_a_share_of_the_background_is_drawn_by_seed(tmp_path):
    store = make_store(tmp_path / "s", {3: [up_to(3.0)] * 2000 + [BOX]})
    file = write_annotations(tmp_path / "a.json", [(3, "cat", [0, 0, 10, 10])])
    first, again, other = (
        read_samples([store], file, VOCABULARY, {3}, background=0.1, seed=seed)
        for seed in (0, 0, 1)
    )
    assert 150 < len(first) < 250 and first.labels[-1] == 0
    assert torch.equal(first.embeddings, again.embeddings)
    assert not torch.equal(first.embeddings, other.embeddings)


def test_several_stores_are_taken_together(tmp_path):
    one = make_store(tmp_path / "1", {3: [up_to(6.0)]})
    truth = make_store(tmp_path / "2", {3: [BOX]})
    file = write_annotations(tmp_path / "a.json", [(3, "cat", [0, 0, 10, 10])])
    samples = read_samples([one, truth], file, VOCABULARY, {3})
    assert samples.ious.tolist() == pytest.approx([0.6, 1])


def test_a_store_whose_ids_are_of_other_images(tmp_path):
    regions = Regions(boxes(BOX), torch.ones(1), torch.ones(1, 2))
    file = write_annotations(tmp_path / "a.json", [(3, "cat", [0, 0, 10, 10])])
    for name, fits in (("3.png", True), ("4.png", False)):
        images = {3: StoredImage(name, 100, 100)}
        store = TeacherStore(write_store(tmp_path / name, [(3, regions)], {}, images=images))
        if fits:
            assert len(read_samples([store], file, VOCABULARY, {3})) == 1
            continue
        with pytest.raises(UserError, match=r"a\.json: 1 of 1 images .* id 3 was '4\.png'"):
            read_samples([store], file, VOCABULARY, {3})


def test_a_store_of_other_images(tmp_path):
    store = make_store(tmp_path / "s", {77: [BOX]})
    file = write_annotations(tmp_path / "a.json", [(3, "cat", [0, 0, 10, 10])])
    with pytest.raises(UserError, match=r"image 77 of teacher store .* is not in .*a\.json"):
        read_samples([store], file, VOCABULARY, {77})


def test_a_tenth_of_the_images_is_held_out(tmp_path):
    store = make_store(tmp_path / "s", {i: [BOX] for i in range(40)})
    learning, held_out = split_images([store, store], seed=0)
    assert len(held_out) == 4 and learning | held_out == set(range(40)) and len(learning) == 36
    assert (learning, held_out) == split_images([store], seed=0)
    assert held_out != split_images([store], seed=1)[1]
    with pytest.raises(UserError, match="9 images to learn from; expected at least 10"):
        split_images([make_store(tmp_path / "9", {i: [BOX] for i in range(9)})], seed=0)


def test_embeddings_without_annotations(tmp_path):
    store = make_store(tmp_path / "s", {1: [BOX], 2: [BOX, BOX], 3: [BOX]})
    assert read_embeddings([store], {2, 3}).shape == (3, 2)
    with pytest.raises(UserError, match="no region"):
        read_embeddings([store], {9})
