import json

import pytest

from ovdistill.core.errors import UserError
from ovdistill.datasets.category_names import read_names
from ovdistill.vocabulary.names import Names

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
    with pytest.raises(UserError, match=r"ann\.json.*expected"):
        read_names(path)


def test_repeated_id(tmp_path):
    path = tmp_path / "ann.json"
    path.write_text(json.dumps([{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]))
    with pytest.raises(UserError, match="id occurs twice"):
        read_names(path)


def test_only_some_of_the_names():
    names = Names(("a", "b", "c"), frequency=("f", "c", "r"), ids=(1, 3, 7))
    kept = names.only({"c", "a", "other"})
    assert kept == Names(("a", "c"), frequency=("f", "r"), ids=(1, 7))
