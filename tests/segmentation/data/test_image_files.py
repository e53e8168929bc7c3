"""Lists and folders of images."""

from __future__ import annotations

import numpy as np
import pytest

from ovdistill.core.errors import UserError
from ovdistill.segmentation.data.image_files import missing_files, names_in_folder, read_list
from ovdistill.segmentation.data.official import Subset

from ..label_files import write_image


def test_marks_spaces_and_empty_lines_are_no_names(tmp_path):
    path = tmp_path / "list.txt"
    path.write_bytes(b"\xef\xbb\xbfb\r\n\r\n  sub/a c \n\n")
    assert read_list(path) == ["b", "sub/a c"]


@pytest.mark.parametrize(
    "content, said",
    [
        (b"a\nb\n a\n", "list.txt has 1 names too many: 'a' stands in it 2 times"),
        (b"\n \n", "list.txt is empty"),
        (b"\xff\xfe\x00", "UTF-8"),
    ],
)
def test_a_list_that_cannot_be_used(tmp_path, content, said):
    path = tmp_path / "list.txt"
    path.write_bytes(content)
    for folder in ("images", "maps"):
        (tmp_path / folder).mkdir()
    for read in (
        lambda: read_list(path),
        lambda: Subset("images", "maps", 2, "", "list.txt").names(tmp_path),
    ):
        with pytest.raises(UserError, match=said):
            read()


def test_images_of_another_suffix_are_counted(tmp_path, caplog):
    for name in ("b.jpg", "a.jpg", "sub/c.jpg", "d.JPG", "e.jpeg"):
        write_image(tmp_path / name, np.zeros((2, 2, 3), np.uint8))
    (tmp_path / "notes.txt").write_text("")
    with caplog.at_level("WARNING"):
        assert names_in_folder(tmp_path, ".jpg") == ["a", "b", "sub/c"]
    (record,) = caplog.records
    assert record.getMessage().startswith("2 images of") and "d.JPG" in record.getMessage()
    caplog.clear()
    names_in_folder(tmp_path, ".jpg", tell=False)
    assert not caplog.records


def test_missing_files(tmp_path):
    (tmp_path / "a.png").write_text("")
    paths = [str(tmp_path / name) for name in ("a.png", "b.png", "none/c.png")]
    assert missing_files(paths) == paths[1:]
