"""Files of the first versions are read, and files are written as those were.

tests/data/formats was written by the version before the modules were moved, with the content below;
its index by the first version that had one.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from ovdistill.core.files import hash_file
from ovdistill.core.teacher_id import TeacherId
from ovdistill.core.vocabulary_header import read_header
from ovdistill.store import CaptionStore, Regions, TeacherStore, index_files, write_store
from ovdistill.store.captions import write_captions
from ovdistill.store.index_files import ImageRecord, IndexHeader
from ovdistill.store.maintenance import verify
from ovdistill.store.meta import StoreMeta
from ovdistill.store.plan import begin_store, finish_store
from ovdistill.store.shard import read_index, write_shard
from ovdistill.vocabulary import Vocabulary

FORMATS = Path(__file__).parents[1] / "data" / "formats"
TEACHER = TeacherId("some:tag", "0123456789abcdef")
# exact in float16, and of unit norm but for rounding
EMBEDDINGS = torch.tensor([[0.6, 0.8, 0, 0], [1, 0, 0, 0], [0, 0, -0.8, 0.6]])
BOXES = torch.tensor([[0.5, 1, 20, 30], [513.25, 2, 600, 44.5], [3, 4, 5, 6]])
OBJECTNESS = torch.tensor([0.5, 0.25, 1.0])
ROWS = {7: slice(0, 2), 2: slice(0, 0), 900_000_000_000: slice(2, 3)}  # of each image
PROVENANCE = {
    **TEACHER.to_header(),
    "crops": {"scales": [1.0], "shape": "square"},
    "pictures_a_shard": 2,
    "image_ids": "hash",
}


def regions(rows: slice) -> Regions:
    return Regions(BOXES[rows], OBJECTNESS[rows], EMBEDDINGS[rows])


@pytest.fixture
def vocabulary() -> Vocabulary:
    return Vocabulary(
        names=("cup", "boat"),
        embeddings=EMBEDDINGS[:2],
        is_base=torch.tensor([True, False]),
        teacher=TEACHER,
        templates=("a {}.",),
        frequency=("f", "r"),
        synonyms=(("cup", "mug"), ("boat",)),
        counts=(3, 0),
        synonyms_averaged=True,
        token_embeddings=EMBEDDINGS[[0, 2]],
    )


def header_and_data(path: Path) -> tuple[dict[str, Any], bytes]:
    """Split a safetensors file, which has the entries of its metadata in any order.

    The checksum is left out: files of earlier versions have none.
    """
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    header["__metadata__"].pop("sha256", None)
    return header, content[8 + size :]


def test_a_store_is_read(tmp_path: Path) -> None:
    folder = shutil.copytree(FORMATS / "store", tmp_path / "store")  # what reads it, notes so
    verify(folder)
    store = TeacherStore(folder)
    assert store.image_ids == [*ROWS]
    assert store.teacher == TEACHER
    assert (store.meta.embed_dim, store.meta.images, store.meta.shards) == (4, 3, 2)
    for image_id, rows in ROWS.items():
        assert torch.equal(store[image_id].boxes, BOXES[rows])
        assert torch.equal(store[image_id].objectness, OBJECTNESS[rows])
        assert torch.equal(store[image_id].embeddings, EMBEDDINGS[rows].half())


def test_a_store_is_written_with_the_same_bytes(tmp_path: Path) -> None:
    records = [(image_id, regions(rows)) for image_id, rows in ROWS.items()]
    write_store(tmp_path / "store", records, PROVENANCE, images_per_shard=2)
    names = sorted(path.name for path in (FORMATS / "store").iterdir())
    assert sorted(path.name for path in (tmp_path / "store").iterdir()) == names
    for name in names:
        assert (tmp_path / "store" / name).read_bytes() == (FORMATS / "store" / name).read_bytes()


CAPTIONS = {7: [(0, [1, 2]), (2, [])], 3: [(1, [])]}


def test_captions_are_read() -> None:
    store = CaptionStore(FORMATS / "captions.safetensors")
    assert (len(store), store.teacher) == (2, TEACHER)
    assert store.header == {**TEACHER.to_header(), "annotations": "captions.json"}
    for image_id, captions in CAPTIONS.items():
        for caption, (row, rows) in zip(store[image_id], captions, strict=True):
            torch.testing.assert_close(caption.embedding, EMBEDDINGS[row], atol=1e-3, rtol=0)
            torch.testing.assert_close(caption.phrases, EMBEDDINGS[rows], atol=1e-3, rtol=0)


def test_captions_are_written_with_the_same_bytes(tmp_path: Path) -> None:
    header = {**TEACHER.to_header(), "annotations": "captions.json"}
    write_captions(tmp_path / "c", CAPTIONS, EMBEDDINGS, header)
    assert header_and_data(tmp_path / "c") == header_and_data(FORMATS / "captions.safetensors")


def test_a_vocabulary_is_read(vocabulary: Vocabulary) -> None:
    read = Vocabulary.load(FORMATS / "vocabulary.safetensors")
    for name in ("names", "teacher", "templates", "frequency", "synonyms", "counts"):
        assert getattr(read, name) == getattr(vocabulary, name)
    for name in ("embeddings", "is_base", "token_embeddings"):
        assert torch.equal(getattr(read, name), getattr(vocabulary, name))
    assert read.synonyms_averaged and read.learned is None
    header = read_header(FORMATS / "vocabulary.safetensors")
    assert (header.names, header.teacher, header.embed_dim) == (vocabulary.names, TEACHER, 4)


def test_a_vocabulary_is_written_with_the_same_bytes(
    tmp_path: Path, vocabulary: Vocabulary
) -> None:
    vocabulary.save(tmp_path / "v")
    assert header_and_data(tmp_path / "v") == header_and_data(FORMATS / "vocabulary.safetensors")


INDEX = IndexHeader(
    root="/photos",
    model="ovshapes",
    detector_hash="89abcdef01234567",
    teacher=TEACHER.name,
    teacher_hash=TEACHER.weights_hash,
    regions=2,
)
# of each part: its images with the rows of their regions. The second part has an image of the
# first anew; one could not be read.
PARTS = [
    {ImageRecord(0, "a.png", 5, 1): slice(0, 2), ImageRecord(1, "below/b.png", 7, 2): None},
    {ImageRecord(2, "a.png", 6, 3): slice(2, 3)},
]
REASON = "is no image"


def write_index_of_parts(folder: Path) -> None:
    index_files.write_header(folder, INDEX)
    for part, images in enumerate(PARTS):
        list_path = index_files.images_path(folder, part)
        index_files.write_images(list_path, images)
        made_by = dict(
            teacher=INDEX.teacher,
            teacher_hash=INDEX.teacher_hash,
            dim=4,
            detector_hash=INDEX.detector_hash,
            regions_of_image=INDEX.regions,
            images=hash_file(list_path),
        )
        store = index_files.regions_path(folder, part)
        meta = begin_store(store, StoreMeta(made_by, len(images), 1))
        found = [(image.image_id, regions(rows)) for image, rows in images.items() if rows]
        skipped = [
            dict(image_id=image.image_id, file=image.file, reason=REASON, whole=True)
            for image, rows in images.items()
            if rows is None
        ]
        write_shard(store, 0, meta.fingerprint, 4, found, skipped)
        finish_store(store, meta)


def test_an_index_is_read(tmp_path: Path) -> None:
    folder = shutil.copytree(FORMATS / "index", tmp_path / "index")
    assert index_files.read_index_header(folder) == INDEX
    assert index_files.count_parts(folder) == len(PARTS)
    for part, images in enumerate(PARTS):
        assert index_files.read_images(index_files.images_path(folder, part)) == [*images]
        store = TeacherStore(index_files.regions_path(folder, part))
        for image, rows in images.items():
            if rows is not None:
                assert torch.equal(store[image.image_id].boxes, BOXES[rows])
                assert torch.equal(store[image.image_id].embeddings, EMBEDDINGS[rows].half())
    first = index_files.regions_path(folder, 0)
    (skipped,) = read_index(first, 0, TeacherStore(first).meta.fingerprint).skipped
    assert (skipped["file"], skipped["reason"]) == ("below/b.png", REASON)


def test_an_index_is_written_with_the_same_bytes(tmp_path: Path) -> None:
    write_index_of_parts(tmp_path / "index")
    names = sorted(str(p.relative_to(FORMATS)) for p in (FORMATS / "index").rglob("*"))
    assert sorted(str(p.relative_to(tmp_path)) for p in (tmp_path / "index").rglob("*")) == names
    for name in names:
        if (FORMATS / name).is_file():
            assert (tmp_path / name).read_bytes() == (FORMATS / name).read_bytes()
