"""Proposals from a file: read, or refused with numbers where they do not fit the images."""

import json
import logging
import tracemalloc

import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.extraction.images import ImageFile, LoadedImage
from ovdistill.extraction.proposals import FileProposals

FILES = [ImageFile(number, f"{number}.png", (40, 60)) for number in (1, 2, 3)]


def image(image_id=1, height=40, width=60):
    return LoadedImage(ImageFile(image_id, ""), torch.zeros(3, height, width, dtype=torch.uint8))


def write(folder, rows):
    path = folder / "boxes.json"
    path.write_text(rows if isinstance(rows, str) else json.dumps(rows))
    return path


def test_file(tmp_path):
    rows = [
        dict(image_id=2, bbox=[1, 2, 10, 20], score=0.5),
        dict(image_id=1, bbox=[0, 0, 5, 5]),
        dict(image_id="2", bbox=[3, 3, 4, 4], score=0.7, category_id=9),
    ]
    source = FileProposals(write(tmp_path, rows))
    second, first, none = source.propose([image(2), image(1), image(3)])
    assert second[0].tolist() == [[1, 2, 11, 22], [3, 3, 7, 7]]
    torch.testing.assert_close(second[1], torch.tensor([0.5, 0.7]))
    assert first[1].tolist() == [1.0]
    assert none[0].shape == (0, 4)
    assert source.provenance["kind"] == "file" and len(source.provenance["hash"]) == 16
    assert FileProposals(write(tmp_path, [])).propose([image()])[0][0].shape == (0, 4)


def test_the_rows_are_not_in_memory_at_once(tmp_path):
    """All of them would be 17 MB as Python objects."""
    rows = [dict(image_id=n // 100, bbox=[n, 0.5, 10.25, 20]) for n in range(40_000)]
    path = write(tmp_path, rows)
    tracemalloc.start()
    source = FileProposals(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12e6 and len(source.propose([image(7)])[0][0]) == 100


@pytest.mark.parametrize(
    "rows",
    [
        *("{", "7", "[1]", "[" * 200_000, "{}", "null"),
        *([dict(image_id=1)], [dict(bbox=[0, 0, 1, 1])]),
        *([dict(image_id=1, bbox=box)] for box in ([1, 2], [0] * 8, ["a"] * 4, None, "abcd")),
        *([dict(image_id=1, bbox=[0, 0, None, 1])], [dict(image_id=1, bbox=[True] * 4)]),
        *([dict(image_id=value, bbox=[0, 0, 1, 1])] for value in (None, [], {}, "", True)),
        *([dict(image_id=1, bbox=[0, 0, 1, 1], score=value)] for value in (None, "a", [])),
        *([dict(image_id=1, bbox=[0, 0, 10**400, 1])], [dict(image_id=1, bbox=[0, 0, 1e308, 1])]),
        '[{"image_id": 1, "bbox": [0, 0, NaN, 1]}]',
        '[{"image_id": 1, "bbox": [0, 0, 1, 1], "score": Infinity}]',
    ],
    ids=str,
)
def test_files_of_another_form(tmp_path, rows):
    with pytest.raises(UserError, match=r"boxes\.json"):
        FileProposals(write(tmp_path, rows))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([dict(image_id=1000 + n, bbox=[5, 5, 30, 30]) for n in range(6)], "none of the 6 .* 3 im"),
        ([dict(image_id=10**30, bbox=[5, 5, 30, 30])], "none of the 1 "),
        ([dict(image_id=n, bbox=[0.1, 0.2, 0.3, 0.3]) for n in (1, 2, 3)], "3 of 3 .*pixel"),
        ([dict(image_id=n, bbox=[100, 5, 30, 30]) for n in (1, 2)], "all 2 boxes .*outside"),
        ([dict(image_id=n, bbox=[5, 5, -3, 30]) for n in (1, 2)], "all 2 boxes .*outside"),
        ([], "none of the 0 boxes"),
    ],
)
def test_boxes_that_do_not_fit_the_images(tmp_path, rows, message):
    with pytest.raises(UserError, match=message):
        FileProposals(write(tmp_path, rows)).check(FILES)


def test_what_fits_in_part_is_said_with_numbers(tmp_path, caplog):
    rows = [
        *(dict(image_id=1, bbox=[5, 5, 30, 30]) for _ in range(2)),
        dict(image_id=2, bbox=[100, 5, 30, 30]),
        *(dict(image_id=77, bbox=[5, 5, 30, 30]) for _ in range(3)),
        dict(image_id=1, bbox=[5, 5, 1e308, 30]),
    ]
    with caplog.at_level(logging.WARNING):
        FileProposals(write(tmp_path, rows)).check(FILES)
    for part in ("1 of 7 boxes", "3 of 6 boxes", "1 of 3 boxes", "1 of 3 images"):
        assert part in caplog.text


def test_images_of_unknown_size(tmp_path):
    rows = [dict(image_id=1, bbox=[500, 5, 30, 30])]
    FileProposals(write(tmp_path, rows)).check([ImageFile(1, "1.png")])
