"""The one reader of COCO and LVIS files: every rule for what it takes, fills in and leaves out."""

import json
import logging
import math

import pytest

from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations import (
    annotation_problem,
    read_annotations,
    read_json,
    read_sections,
)


def content() -> dict:
    """Two images, two categories, and one annotation that is complete."""
    return dict(
        images=[
            dict(id=10, file_name="a.png", height=32, width=40),
            dict(id=11, file_name="b.png", height=32, width=40),
        ],
        annotations=[annotation()],
        categories=[dict(id=7, name="dog"), dict(id=5, name="cat")],
    )


def annotation(**changes) -> dict:
    complete = dict(id=1, image_id=10, category_id=5, bbox=[1, 2, 3.5, 4], area=9, iscrowd=1)
    return {key: value for key, value in (complete | changes).items() if value is not None}


def write(path, data):
    path.write_text(json.dumps(data))
    return path


@pytest.fixture
def file(tmp_path):
    return tmp_path / "ann.json"


def test_a_complete_file_is_indexed_as_it_is(file, caplog):
    data = content()
    data["annotations"].append(annotation(id=2, image_id=11))
    found = read_annotations(write(file, data))
    assert found.path == file
    assert found.images == data["images"]
    assert found.categories == {"dog": data["categories"][0], "cat": data["categories"][1]}
    assert found.annotations == data["annotations"]
    assert found.by_image == {10: data["annotations"][:1], 11: data["annotations"][1:]}
    assert (found.dropped.total(), caplog.records) == (0, [])


@pytest.mark.parametrize("missing", [{}, {"area": "null", "iscrowd": "null"}])
def test_missing_area_and_crowd_are_filled_in(file, missing):
    record = annotation(area=None, iscrowd=None) | {key: None for key in missing}
    (found,) = read_annotations(write(file, content() | dict(annotations=[record]))).annotations
    assert (found["area"], found["iscrowd"]) == (3.5 * 4, 0)


@pytest.mark.parametrize("area", [0, -3, math.nan, math.inf, "no", [], True])
def test_an_area_that_is_none_is_that_of_the_box(file, area):
    found = read_annotations(write(file, content() | dict(annotations=[annotation(area=area)])))
    assert found.annotations[0]["area"] == 3.5 * 4
    assert found.report.counts == {"area": 1, "empty_category": 1}


UNUSABLE = {
    "form": [3, None, "text", [1, 2]],
    "bbox": [
        annotation(bbox=None),
        annotation(bbox="1 2 3 4"),
        annotation(bbox=[1, 2, 3]),
        annotation(bbox=[1, 2, 3, 4, 5]),
        annotation(bbox=[1, 2, 3, "4 px"]),
        annotation(bbox=[1, 2, 3, True]),
        annotation(bbox=[1, 2, math.nan, 4]),
        annotation(bbox=[1, 2, 3, math.inf]),
    ],
    "image_id": [annotation(image_id=12), annotation(image_id=None), annotation(image_id=[10])],
    "category_id": [
        annotation(category_id=6),
        annotation(category_id=None),
        annotation(category_id={}),
    ],
}


@pytest.mark.parametrize("reason", UNUSABLE)
def test_unusable_annotations_are_left_out_and_counted(file, reason):
    data = content()
    good = data["annotations"][0]
    data["annotations"] = [*UNUSABLE[reason], good]
    found = read_annotations(write(file, data))
    assert found.annotations == [good] and found.by_image == {10: [good]}
    assert found.dropped == {reason: len(UNUSABLE[reason])}


def test_one_warning_says_how_many_and_which_is_the_first(file, caplog):
    data = content()
    data["annotations"] = [
        annotation(id=3),
        annotation(id=4, bbox=[1]),
        annotation(id=5, image_id=99),
        annotation(id=6, bbox=[2]),
    ]
    found = read_annotations(write(file, data))
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert found.dropped == {"bbox": 2, "image_id": 1}
    for fact in (
        "2 annotations have a bbox",
        "1 annotations have an image_id",
        "annotation 4",
        "[1]",
        str(file),
    ):
        assert fact in record.getMessage()


def test_the_rule_for_one_annotation():
    assert annotation_problem(annotation(), {10}, {5}) is None
    assert annotation_problem(annotation(), {11}, {5}).startswith("image_id 10")
    assert annotation_problem(annotation(), {10}, {6}).startswith("category_id 5")


def test_lvis_images_get_their_file_name_from_the_url(file):
    data = content()
    data["images"][0] = dict(id=10, coco_url="http://host/train2017/c.jpg", height=3, width=4)
    found = read_annotations(write(file, data))
    assert [image["file_name"] for image in found.images] == ["train2017/c.jpg", "b.png"]


def test_to_coco_has_what_was_accepted(file):
    data = content()
    data["annotations"].append(annotation(image_id=99))
    coco = read_annotations(write(file, data)).to_coco()
    assert {key: coco[key] for key in data} == data | dict(annotations=data["annotations"][:1])


def damaged(section, **changes):
    """The file with the first record of a section changed; None takes a key away."""
    data = content()
    record = data[section][0] | changes
    data[section][0] = {key: value for key, value in record.items() if value is not None}
    return data


@pytest.mark.parametrize(
    ("data", "facts"),
    [
        ([], ["images", "annotations", "categories"]),
        (dict(images=[]), ["annotations, categories"]),
        (content() | dict(images={}), ["images"]),
        (content() | dict(images=[3]), ["image", "3"]),
        (content() | dict(categories=["cat"]), ["category", "cat"]),
        (damaged("images", id=None), ["a.png", "id"]),
        (damaged("images", width=None), ["10", "width"]),
        (damaged("images", file_name=None), ["10", "coco_url"]),
        (damaged("images", id=11), ["image ids", "11"]),
        (damaged("images", id=[1]), ["image ids", "[1]"]),
        (damaged("categories", name=None), ["7", "name"]),
        (damaged("categories", id=5), ["category ids", "5"]),
        (damaged("categories", name="cat"), ["category names", "cat"]),
    ],
)
def test_a_damaged_file_is_an_error(file, data, facts):
    with pytest.raises(UserError) as error:
        read_annotations(write(file, data))
    assert all(fact in str(error.value) for fact in (*facts, str(file)))


@pytest.mark.parametrize("text", ["{", "", b"\xff\xfe"])
def test_what_is_no_json(file, text):
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError, match="ann.json"):
        read_json(file)


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(UserError, match="none.json.*data_root"):
        read_annotations(tmp_path / "none.json")
    with pytest.raises(UserError, match=str(tmp_path)):
        read_json(tmp_path)


def test_a_byte_order_mark_is_no_error(file):
    file.write_text(json.dumps(content()), encoding="utf-8-sig")
    assert len(read_annotations(file).images) == 2


def test_only_the_named_sections_are_read(file):
    write(file, dict(images=[1], annotations=[2]))
    assert read_sections(file, ("annotations",)) == dict(annotations=[2])
    with pytest.raises(UserError, match="categories"):
        read_sections(file, ("images", "categories"))
