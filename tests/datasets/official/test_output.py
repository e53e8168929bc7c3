"""Annotation files that note what they were made from."""

import json

import pytest

from ovdistill.core.errors import UserError
from ovdistill.datasets.official.output import noted_counts, write_annotations

ORIGIN, COUNTS = {"version": 1, "sources": {}}, {"images": 2}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "new" / "out.json"
    sections = {"images": iter([{"id": 1}, {"id": 2}]), "annotations": []}
    write_annotations(path, {"year": 1}, ORIGIN, COUNTS, sections)
    return path


def test_a_file_holds_its_sections_and_the_note(path):
    content = json.loads(path.read_text())
    assert [*content] == ["info", "images", "annotations"]
    assert content["info"] == {"year": 1, "ovdistill": {"origin": ORIGIN, "counts": COUNTS}}
    assert (content["images"], content["annotations"]) == ([{"id": 1}, {"id": 2}], [])


def test_counts_are_those_of_a_complete_file_of_the_same_origin(path):
    assert noted_counts(path, ORIGIN, force=False) == COUNTS
    assert noted_counts(path, ORIGIN, force=True) is None
    assert noted_counts(path, ORIGIN | {"version": 2}, force=False) is None
    assert noted_counts(path.with_name("none.json"), ORIGIN, force=False) is None
    path.write_text(path.read_text()[:-1])
    assert noted_counts(path, ORIGIN, force=False) is None


@pytest.mark.parametrize("info", [{}, {"ovdistill": "mine"}, {"ovdistill": {"origin": ORIGIN}}])
def test_a_file_of_another_tool(path, info):
    path.write_text(json.dumps({"info": info}))
    with pytest.raises(UserError, match="out.json.*--force"):
        noted_counts(path, ORIGIN, force=False)


def test_a_value_that_json_does_not_have_leaves_the_old_file(path):
    before = path.read_bytes()
    with pytest.raises(ValueError):
        write_annotations(path, {}, ORIGIN, COUNTS, {"images": [{"id": float("nan")}]})
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["out.json"]
