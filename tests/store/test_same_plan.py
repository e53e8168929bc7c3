"""Stores are compared by the content of their inputs, not by how a path was spelled."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ovdistill.core.errors import UserError
from ovdistill.store.meta import StoreMeta
from ovdistill.store.plan import begin_store
from ovdistill.store.same_plan import comparable, comparable_parts, network_checkpoint


def boxes(kind: str, source: str, digest: str = "1") -> dict[str, Any]:
    return {"dim": 8, "proposals": dict(kind=kind, source=source, hash=digest)}


SAME = [
    (boxes("file", "boxes.json"), boxes("file", "/data/boxes.json")),
    (boxes("network", "rpn.py, a/w.pth"), boxes("network", "rpn.py, /data/a/w.pth")),
    (boxes("labelled", "a.json, 48 base"), boxes("labelled", "b.json, 48 base")),
]  # fmt: skip
OTHERS = [
    (boxes("file", "boxes.json"), boxes("file", "boxes.json", "2")),
    (boxes("network", "rpn.py, w.pth"), boxes("network", "other.py, w.pth")),
    (boxes("labelled", "a.json, 48 base"), boxes("labelled", "a.json, 47 base")),
    (boxes("grid", "12 boxes", ""), boxes("grid", "11 boxes", "")),
    (boxes("own", "here"), boxes("own", "there")),
]


@pytest.mark.parametrize(("first", "second"), SAME)
def test_a_store_goes_on_with_the_plan_that_is_there(
    tmp_path: Path, first: dict[str, Any], second: dict[str, Any]
) -> None:
    there = begin_store(tmp_path, StoreMeta(first, 4, 2))
    mine = StoreMeta(second, 4, 2, origin={"source": "x"})
    assert begin_store(tmp_path, mine) == replace(mine, provenance=first)
    assert begin_store(tmp_path, mine).fingerprint == there.fingerprint  # the shards state it


@pytest.mark.parametrize(("first", "second"), OTHERS)
def test_other_boxes_are_refused(
    tmp_path: Path, first: dict[str, Any], second: dict[str, Any]
) -> None:
    assert comparable_parts(first) != comparable_parts(second)
    begin_store(tmp_path, StoreMeta(first, 4, 2))
    with pytest.raises(UserError, match=r"begun differently: proposals: .*regions=DIR"):
        begin_store(tmp_path, StoreMeta(second, 4, 2))


def test_labelled_boxes_of_several_files_are_parts_of_one_store() -> None:
    first, second = (boxes("labelled", f"{n}.json, 48 base categories", n) for n in "ab")
    assert comparable(first) != comparable(second)
    assert comparable_parts(first) == comparable_parts(second)
    assert comparable_parts(boxes("file", "a", "1")) != comparable_parts(boxes("file", "a", "2"))


def test_provenance_without_boxes_is_as_it_was() -> None:
    assert comparable({"dim": 8}) == comparable_parts({"dim": 8}) == {"dim": 8}
    assert network_checkpoint(dict(source="rpn.py, a, b/w.pth")) == "a, b/w.pth"
