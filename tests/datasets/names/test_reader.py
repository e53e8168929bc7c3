"""Class names by the name of a data set, from files, and from a text."""

import json
from collections import Counter

import pytest
from mmdet.datasets import CocoDataset, LVISV1Dataset

from ovdistill.core.errors import UserError
from ovdistill.datasets.names import find_names, read_names
from ovdistill.vocabulary.splits import COCO_BASE, COCO_NOVEL, COCO_UNUSED

CATEGORIES = [
    {"id": 2, "name": "boat", "frequency": "r", "synonyms": ["boat", "ship"]},
    {"id": 1, "name": "cup", "frequency": "f", "synonyms": ["cup"]},
]


@pytest.mark.parametrize("content", [CATEGORIES, {"images": [], "categories": CATEGORIES}])
def test_lvis_json_is_read_in_id_order(tmp_path, content):
    path = tmp_path / "ann.json"
    path.write_text(json.dumps(content))
    names = read_names(path)
    assert names.names == ("cup", "boat")
    assert names.ids == (1, 2)
    assert names.frequency == ("f", "r")
    assert names.synonyms == (("cup",), ("boat", "ship"))


def test_text_file_and_commas_and_json_list(tmp_path):
    (tmp_path / "names.txt").write_text("red star\n\n  blue ring \n")
    (tmp_path / "names.json").write_text('["red star", "blue ring"]')
    expected = ("red star", "blue ring")
    assert read_names(tmp_path / "names.txt").names == expected
    assert read_names(tmp_path / "names.json").names == expected
    assert read_names("red star, blue ring").names == expected
    assert read_names("star").frequency is None


@pytest.mark.parametrize("text", ["", " , ", "cup,,boat", "cup, cup", "missing.json", "no/such"])
def test_bad_sources(text):
    with pytest.raises(UserError, match="expected"):
        read_names(text)


@pytest.mark.parametrize("content", ["{", '{"images": []}', '[{"id": 1}]', "[]"])
def test_bad_json(tmp_path, content):
    path = tmp_path / "ann.json"
    path.write_text(content)
    with pytest.raises(UserError, match=r"ann\.json"):
        read_names(path)


def test_repeated_id(tmp_path):
    path = tmp_path / "ann.json"
    path.write_text(json.dumps([{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]))
    with pytest.raises(UserError, match="id occurs twice"):
        read_names(path)


def test_lvis_by_name():
    names = find_names("lvis")
    assert len(set(names.names)) == 1203
    assert Counter(names.frequency) == {"f": 405, "c": 461, "r": 337}
    groups = dict(zip(names.names, names.frequency, strict=True))
    assert [groups[n] for n in ("person", "aerosol_can", "applesauce")] == ["f", "c", "r"]


def test_lvis_names_are_those_of_mmdet():
    assert find_names("lvis").names == tuple(LVISV1Dataset.METAINFO["classes"])


def test_coco_names_are_those_of_mmdet():
    names = find_names("coco80").names
    assert names == tuple(CocoDataset.METAINFO["classes"])
    assert {*names} == {*COCO_BASE, *COCO_NOVEL, *COCO_UNUSED}


def test_the_65_of_coco_are_in_the_order_of_the_80():
    names = find_names("coco").names
    assert {*names} == {*COCO_BASE, *COCO_NOVEL} and len(names) == 65
    assert [*names] == [name for name in find_names("coco80").names if name in names]


def test_frequencies_are_those_of_the_published_file(real_data):
    published = read_names(real_data / "clip_text" / "lvis_v1_train_cat_info.json")
    names = find_names("lvis")
    assert names.frequency == published.frequency
    other = [pair for pair in zip(names.names, published.names, strict=True) if len({*pair}) > 1]
    assert other == [("speaker_(stereo_equipment)", "speaker_(stero_equipment)")]
