"""VOC's XML files in COCO's format."""

import pytest

from ovdistill.core.errors import UserError
from ovdistill.datasets.official.voc import VOC_NAMES, read_voc

HEAD = "<annotation><size><width>353</width><height>500</height></size>"
BOX = "<bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox>"
PART = f"<part><name>head</name>{BOX.format(9, 9, 9, 9)}</part>"


def thing(name: str, *box: float, more: str = "") -> str:
    return f"<object><name>{name}</name>{more}{BOX.format(*box)}</object>"


@pytest.fixture
def root(tmp_path):
    """An image with a person (with a part) and a difficult table, and an empty image."""
    (tmp_path / "ImageSets" / "Main").mkdir(parents=True)
    (tmp_path / "Annotations").mkdir()
    (tmp_path / "ImageSets" / "Main" / "test.txt").write_text("a\n\nb\n")
    table = thing("diningtable", 45.7, 2, 50.7, 9, more="<difficult>1</difficult>")
    write(tmp_path, "a", thing("person", 8, 12, 352, 498, more=PART) + table)
    write(tmp_path, "b", "")
    return tmp_path


def write(root, name, objects, head=HEAD):
    (root / "Annotations" / f"{name}.xml").write_text(f"{head}{objects}</annotation>")


def test_images_objects_and_names(root):
    content = read_voc(root, "test")
    assert content["images"] == [
        dict(id=1, file_name="a.jpg", width=353, height=500),
        dict(id=2, file_name="b.jpg", width=353, height=500),
    ]
    person, table = content["annotations"]
    assert person["bbox"] == [7, 11, 345, 487] and person["area"] == 345 * 487
    assert table["bbox"] == pytest.approx([44.7, 1, 6, 8])
    assert (person["iscrowd"], table["iscrowd"]) == (0, 1)
    assert [(item["id"], item["image_id"]) for item in (person, table)] == [(1, 1), (2, 1)]
    names = {category["id"]: category["name"] for category in content["categories"]}
    assert len(names) == len(VOC_NAMES) == 20
    assert names[person["category_id"]] == "person"
    assert names[table["category_id"]] == "dining table"


@pytest.mark.parametrize(
    ("objects", "head"),
    [
        (thing("unicorn", 1, 2, 3, 4), HEAD),
        ("<object></object>", HEAD),
        ("<object><name>cat</name></object>", HEAD),
        (thing("cat", "x", 2, 3, 4), HEAD),
        (thing("cat", "nan", 2, 3, 4), HEAD),
        ("", "<annotation>"),
        ("<object>", HEAD),
    ],
)
def test_what_is_no_annotation_of_voc(root, objects, head):
    write(root, "b", objects, head)
    with pytest.raises(UserError, match="b.xml"):
        read_voc(root, "test")


def test_a_list_that_is_no_text(root):
    (root / "ImageSets" / "Main" / "test.txt").write_bytes("a\n".encode("utf-16"))
    with pytest.raises(UserError, match="test.txt .*UTF-8"):
        read_voc(root, "test")


@pytest.mark.parametrize("lines", ["a -1\nb  1\n", "a  0\n"])
def test_a_list_of_one_class(root, lines):
    (root / "ImageSets" / "Main" / "cat_test.txt").write_text(lines)
    with pytest.raises(UserError, match="cat_test.txt is a list of one class.*trainval"):
        read_voc(root, "cat_test")


def test_names_of_images_that_look_like_a_list_of_one_class(root):
    write(root, "dog 1", "")
    (root / "ImageSets" / "Main" / "test.txt").write_text("dog 1\n")
    assert [image["file_name"] for image in read_voc(root, "test")["images"]] == ["dog 1.jpg"]


def test_missing_files(root):
    with pytest.raises(UserError, match="val.txt"):
        read_voc(root, "val")
    (root / "Annotations" / "b.xml").unlink()
    with pytest.raises(UserError, match="b.xml"):
        read_voc(root, "test")
