"""Label maps to score against: folders whose files belong together by their names."""

import numpy as np
import pytest

from ovdistill.core.errors import UserError
from ovdistill.datasets.names.label_table import load_label_table
from ovdistill.segmentation.data.label_map import IGNORE
from ovdistill.segmentation.data.label_maps import find_label_maps
from ovdistill.segmentation.data.record_maps import load_maps

from ..label_files import write_image

VALUES = np.array([[1, 2, 0], [2, 2, 255]], np.uint8)
IMAGE = np.zeros((2, 3, 3), np.uint8)


@pytest.fixture
def root(tmp_path):
    """Three label maps, two of which have an image; and an image without a label map."""
    for name in ("a", "sub/10", "sub/9"):
        write_image(tmp_path / f"maps/{name}.png", VALUES)
    for name in ("a.jpg", "sub/10.png", "b.jpg"):
        write_image(tmp_path / "images" / name, IMAGE)
    (tmp_path / "table.txt").write_text("0\t-\n1\tfield, farmland\n2\tforest\n")
    return tmp_path


def test_each_label_map_has_the_image_of_its_name(root):
    found = find_label_maps(root / "maps", root / "images")
    assert [record["img_id"] for record in found.records] == ["a", "sub/10"]
    assert found.records[0]["img_path"] == str(root / "images/a.jpg")
    assert [*found.without_image] == [root / "maps/sub/9.png"]
    alone = find_label_maps(root / "maps")
    assert [record["img_id"] for record in alone.records] == ["a", "sub/9", "sub/10"]
    assert not alone.without_image and "img_path" not in alone.records[0]


def test_values_become_rows_of_the_class_names(root):
    table = load_label_table(root / "table.txt")
    found = find_label_maps(root / "maps")
    maps = found.label_maps(table, ["forest", "tree", "farmland"], [True, True, False])
    assert (len(maps), maps.is_base) == (3, (True, True, False))
    rows, _ = load_maps(maps.records[0])
    assert rows.tolist() == [[2, 0, IGNORE], [0, 0, IGNORE]]
    with pytest.raises(UserError, match=r"cat.*table\.txt"):
        found.label_maps(table, ["cat"], [True])


def test_a_sample_is_drawn_always_alike(root):
    maps = find_label_maps(root / "maps").label_maps(
        load_label_table(root / "table.txt"), ["forest"], [True]
    )
    assert [*maps.draw(2).records] == [*maps.draw(2).records] and len(maps.draw(2)) == 2
    assert len(maps.draw(None)) == len(maps.draw(9)) == 3


def test_files_that_do_not_belong_together(root):
    (root / "empty").mkdir()
    for folders, message in (
        (["empty"], "no label map in"),
        (["maps", "empty"], "no image in"),
        (["none"], "cannot list"),
    ):
        with pytest.raises(UserError, match=message):
            find_label_maps(*(root / name for name in folders))
    write_image(root / "images/a.png", IMAGE)
    with pytest.raises(UserError, match="two files of the name 'a'"):
        find_label_maps(root / "maps", root / "images")
    write_image(root / "other/zebra.png", IMAGE)
    with pytest.raises(UserError, match="has the name of a label map"):
        find_label_maps(root / "maps", root / "other")
