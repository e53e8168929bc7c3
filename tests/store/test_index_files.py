"""The header and the lists of images of an index."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ovdistill.core.errors import UserError
from ovdistill.store import index_files as files
from ovdistill.store.index_files import ImageRecord, IndexHeader

HEADER = IndexHeader(
    root="/photos",
    model="ovshapes",
    detector_hash="0" * 16,
    teacher="ViT-B-32:openai",
    teacher_hash="1" * 16,
    regions=20,
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    files.write_header(tmp_path, HEADER)
    assert files.read_index_header(tmp_path) == HEADER
    records = [ImageRecord(0, "a.png", 5, 1_700_000_000_000_000_001), ImageRecord(7, "ü/b", 0, 0)]
    path = files.images_path(tmp_path, 0)
    files.write_images(path, records)
    assert files.read_images(path) == records
    assert files.count_parts(tmp_path) == 1


@pytest.mark.parametrize(
    ("key", "value"),
    [("format", "ovdistill-index-2"), ("regions", 0), ("regions", "20"), ("root", None)],
)
def test_a_header_that_does_not_fit(key: str, value: object, tmp_path: Path) -> None:
    files.write_header(tmp_path, HEADER)
    path = tmp_path / files.HEADER
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(UserError, match=str(value)):
        files.read_index_header(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        [],
        {"format": "ovdistill-index-2", "images": []},
        {"format": files.FORMAT},
        {"format": files.FORMAT, "images": [{"image_id": 0}]},
        {"format": files.FORMAT, "images": [dict(image_id=-1, file="a", bytes=0, mtime_ns=0)]},
        {"format": files.FORMAT, "images": [dict(image_id=0, file=3, bytes=0, mtime_ns=0)]},
    ],
)
def test_a_damaged_list(content: object, tmp_path: Path) -> None:
    path = tmp_path / "images.json"
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=r"images\.json"):
        files.read_images(path)


def test_a_path_is_relative_to_the_root(tmp_path: Path) -> None:
    image = tmp_path / "photos" / "a.png"
    image.parent.mkdir()
    image.write_bytes(b"12345")
    record = ImageRecord.of_file(3, image, str(tmp_path / "photos" / "below"))
    assert record.file == "../a.png" and record.bytes == 5
    assert record.path(str(tmp_path / "photos" / "below")) == image
    for name in ("none", "\0", "\ud800", "n" * 300):
        assert files.file_state(tmp_path / name) == (0, 0)


def test_the_last_record_of_a_file_counts() -> None:
    first, second = ImageRecord(0, "a", 1, 1), ImageRecord(1, "b", 1, 1)
    later = ImageRecord(2, "a", 2, 2)
    assert files.latest_records([[first, second], [later]]) == {"a": later, "b": second}
