"""Image and category records: what is read, and what is refused with the record and the field."""

import json

import pytest

from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations import Annotations, read_annotations
from ovdistill.datasets.annotations.images import is_outside
from ovdistill.datasets.names import read_names


def content() -> dict:
    return dict(
        images=[dict(id=n, file_name=f"{n}.png", width=40, height=30) for n in (1, 2)],
        annotations=[dict(id=1, image_id=1, category_id=1, bbox=[5, 5, 9, 9], area=81)],
        categories=[dict(id=1, name="cup", supercategory="s"), dict(id=2, name="boat")],
    )


def read(tmp_path, data: dict, **options: bool) -> Annotations:
    path = tmp_path / "ann.json"
    path.write_text(json.dumps(data))
    return read_annotations(path, **options)


def image(**changes: object) -> dict:
    data = content()
    data["images"][0] |= changes
    return data


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *[("width", value) for value in (None, "nine", 0, -9, 9.5, [], True, 10**9, 1e308, "")],
        *[("file_name", value) for value in (5, "", " ", [], "a\0b", "\ud800")],
        *[("id", value) for value in (None, True, [], "", 2, "2", 2.0)],
    ],
)
def test_an_image_that_cannot_be_used_is_named(tmp_path, key, value):
    with pytest.raises(UserError) as error:
        read(tmp_path, image(**{key: value}))
    assert key.split("_")[0] in str(error.value) and "image" in str(error.value)
    assert str(error.value).isprintable()


def test_an_image_of_too_many_pixels(tmp_path):
    with pytest.raises(UserError, match="30000"):
        read(tmp_path, image(width=30_000, height=30_000))


def test_an_image_without_a_file(tmp_path):
    for record in (dict(), dict(coco_url=None), dict(file_name=None)):
        data = content()
        data["images"][0] = dict(id=1, width=40, height=30, **record)
        with pytest.raises(UserError, match="image 1 .*file_name"):
            read(tmp_path, data)


OUTSIDE = [
    "/etc/passwd",
    "../a.png",
    "a/../../b.png",
    "..",
    "..\\a.png",
    "C:\\a.png",
    "\\\\host\\a",
]


@pytest.mark.parametrize("name", OUTSIDE)
def test_file_names_stay_in_the_folder(tmp_path, name):
    with pytest.raises(UserError, match="image 1 .*allow_outside_images"):
        read(tmp_path, image(file_name=name))
    assert len(read(tmp_path, image(file_name=name), allow_outside_images=True).images) == 2


def test_a_url_leads_nowhere_else(tmp_path):
    data = image(coco_url="http://host/../x.png")
    data["images"][0].pop("file_name")
    with pytest.raises(UserError, match="image 1"):
        read(tmp_path, data)


def test_names_that_are_inside():
    assert not any(map(is_outside, ("a.png", "b/a.png", "b/../a.png", "..a.png", "b/..c/a.png")))


def test_odd_spellings_are_read_and_counted(tmp_path):
    data = image(width="40", height=30.0, file_name="sub\\a.png")
    data["images"][1] |= dict(id="x", file_name="sub/a.png")
    found = read(tmp_path, data)
    first = found.images[0]
    assert (first["width"], first["height"], first["file_name"]) == (40, 30, "sub/a.png")
    for kind in ("backslash", "same_file", "image_number"):
        assert found.report.counts[kind] == 1


def categories(*records: object) -> dict:
    return content() | dict(categories=[content()["categories"][0], *records])


@pytest.mark.parametrize(
    ("record", "fact"),
    [
        (dict(id=2), "name"),
        (dict(name="boat"), "id"),
        (dict(id=None, name="boat"), "category ids"),
        (dict(id="1", name="boat"), "category ids"),
        (dict(id=2, name=5), "name 5"),
        (dict(id=2, name=" "), "name ' '"),
        (dict(id=2, name="_"), "name '_'"),
        (dict(id=2, name="\ud800"), "name"),
        (dict(id=2, name="cup"), "category names"),
        (None, "category None"),
    ],
)
def test_a_category_that_cannot_be_used_is_named(tmp_path, record, fact):
    with pytest.raises(UserError, match=fact):
        read(tmp_path, categories(record))


def test_the_root_that_roboflow_writes(tmp_path):
    data = content()
    for record in data["categories"]:
        record["supercategory"] = "objects"
    root = dict(id=0, name="objects", supercategory="none")
    data["categories"].insert(0, root)
    found = read(tmp_path, data)
    assert [*found.categories] == ["cup", "boat"] == [*read_names(found.path).names]
    assert found.report.counts["root_category"] == 1
    data["annotations"][0]["category_id"] = "0"  # now it has an annotation
    assert len(read(tmp_path, data).categories) == 3 == len(read_names(found.path))
    data["annotations"][0]["category_id"] = 1
    data["categories"][1]["supercategory"] = "other"
    assert len(read(tmp_path, data).categories) == 3


def test_a_class_may_have_the_name_of_roboflows_root(tmp_path):
    data = content()
    for record in data["categories"]:
        record["supercategory"] = "cup"
    data["categories"].insert(0, dict(id=0, name="cup", supercategory="none"))
    assert [*read(tmp_path, data).categories] == ["cup", "boat"]


def test_spellings_of_a_name_and_empty_categories_are_counted(tmp_path, caplog):
    found = read(tmp_path, categories(dict(id=2, name="Cup"), dict(id=3, name="emu")))
    assert found.report.counts == {"twins": 1, "empty_category": 2}
    assert "'Cup'" in caplog.text and "emu" not in caplog.text
