"""`ovdistill store`: its commands print what `ovdistill.store.maintenance` finds."""

import json

import pytest
import torch

from ovdistill.commands import main
from ovdistill.core.errors import UserError
from ovdistill.store import Regions, TeacherStore, write_store


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
