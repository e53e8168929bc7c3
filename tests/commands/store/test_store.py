"""`ovdistill store`: its commands print what `ovdistill.store.maintenance` finds."""

import json

import pytest
import torch

from ovdistill.commands import main
from ovdistill.core.errors import UserError
from ovdistill.store import Regions, TeacherStore, write_store
from ovdistill.vocabulary import Vocabulary


def make(folder, ids):
    boxes = torch.tensor([[0.0, 0, 5, 5], [1, 1, 9, 9]])
    regions = Regions(boxes, torch.ones(2), torch.nn.functional.normalize(torch.ones(2, 4), dim=1))
    header = {"teacher": "t", "image_ids": str(ids)}
    return write_store(folder, [(image_id, regions) for image_id in ids], header)


def store(*words):
    return main.run(["store", *map(str, words)])


def test_info(tmp_path, capsys):
    folder = make(tmp_path / "a", [1, 2])
    assert not store("info", folder)
    assert "2 of 2" in capsys.readouterr().out
    store("info", folder, "--json")
    assert json.loads(capsys.readouterr().out)["regions"] == 4


@pytest.fixture
def measurable(tmp_path):
    """A store, and arguments that measure it: of an object of a base class in image 1 of two."""
    folder = make(tmp_path / "a", [1, 2])
    annotation = dict(id=1, image_id=1, category_id=5, bbox=[0, 0, 5, 5], area=25, iscrowd=0)
    content = dict(
        images=[dict(id=i, file_name=f"{i}.png", height=32, width=32) for i in (1, 2, 3)],
        annotations=[annotation],
        categories=[dict(id=5, name="cat"), dict(id=6, name="emu")],
    )
    (tmp_path / "ann.json").write_text(json.dumps(content))
    is_base, texts = torch.tensor([True, False]), torch.eye(4)[:2]
    vocabulary = Vocabulary(("cat", "emu"), texts, is_base, "t")
    vocabulary.save(tmp_path / "vocabulary")
    return [folder, "--annotations", tmp_path / "ann.json"], tmp_path / "vocabulary"


def test_info_measures_a_store(measurable, capsys):
    words, vocabulary = measurable
    assert not store("info", *words, "--vocabulary", vocabulary)
    text = capsys.readouterr().out
    assert "2 of 2 images, 4 regions" in text and "advice" in text
    store("info", *words, "--vocabulary", vocabulary, "--json")
    found = json.loads(capsys.readouterr().out)
    assert found["measured"]["base_recall"] == {"objects": 1, "at_50": 1, "at_75": 1}
    assert found["measured"]["base_accuracy"] == {"regions": 1, "share": 1}
    assert found["advice"]


def test_info_without_a_vocabulary(measurable, capsys):
    words, _ = measurable
    store("info", *words, "--split", "cat", "--sample", 1, "--json")
    found = json.loads(capsys.readouterr().out)["measured"]
    assert (found["images"], found["base_recall"]["objects"]) == (1, 0)
    assert found["geometry"]["names_to_mean"]["cosine"] is None


@pytest.mark.parametrize(
    "categories",
    [[], [dict(synonyms="kitty")], [dict(frequency="rare")], [dict(image_count=3.0)]],
)
def test_info_refuses_categories_that_cannot_be_used(measurable, categories):
    """The same in `teacher evaluate`, see ``names_of_annotations``."""
    (folder, option, file), _ = measurable
    content = json.loads(file.read_text())
    content["categories"] = [dict(id=5, name="cat", **own) for own in categories]
    file.write_text(json.dumps(content))
    with pytest.raises(UserError, match="categories"):
        store("info", folder, option, file)


def test_info_refuses_what_does_not_fit(measurable):
    words, vocabulary = measurable
    with pytest.raises(UserError, match="--annotations"):
        store("info", words[0], "--vocabulary", vocabulary)
    with pytest.raises(UserError, match="--split"):
        store("info", *words, "--vocabulary", vocabulary, "--split", "none")
    Vocabulary(("cat",), torch.eye(4)[:1], torch.tensor([True]), "u").save(vocabulary)
    with pytest.raises(UserError, match=r"teacher u .*teacher t "):
        store("info", *words, "--vocabulary", vocabulary)
    Vocabulary(("ox",), torch.eye(4)[:1], torch.tensor([True]), "t").save(vocabulary)
    with pytest.raises(UserError, match="'ox'"):
        store("info", *words, "--vocabulary", vocabulary)


def test_verify(tmp_path, capsys):
    folder = make(tmp_path / "a", [1, 2])
    assert not store("verify", folder)
    assert "2 images" in capsys.readouterr().out
    (shard,) = folder.glob("shard-*")
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(UserError, match=shard.name):
        store("verify", folder)


def test_merge(tmp_path, capsys):
    first, second = make(tmp_path / "a", [1, 2]), make(tmp_path / "b", [3])
    assert not store("merge", first, second, "--out", tmp_path / "both")
    assert str(tmp_path / "both") in capsys.readouterr().out
    assert sorted(TeacherStore(tmp_path / "both").image_ids) == [1, 2, 3]
    with pytest.raises(UserError, match="two or more"):
        store("merge", first, "-o", tmp_path / "one")
