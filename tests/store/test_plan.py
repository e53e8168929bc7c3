"""A store is begun once, by whichever process comes first, and finished when it is complete."""

from __future__ import annotations

import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ovdistill.core.errors import UserError
from ovdistill.store import plan
from ovdistill.store.meta import StoreMeta, check_regions, read_meta
from ovdistill.store.plan import begin_store, finish_store
from ovdistill.store.shard import write_shard

from .regions import random_regions

META = StoreMeta({"teacher": "t", "dim": 8}, images=3, shards=2)
RECORD = dict(image_id=9, file="9.jpg", reason="no such file", whole=True)


def test_a_store_is_begun_once(tmp_path: Path) -> None:
    assert begin_store(tmp_path / "s", META) == META
    assert read_meta(tmp_path / "s") == META
    written = (tmp_path / "s" / "meta.json").stat().st_mtime_ns
    assert begin_store(tmp_path / "s", META) == META
    assert begin_store(tmp_path / "s", META, rank=1) == META
    assert (tmp_path / "s" / "meta.json").stat().st_mtime_ns == written


@pytest.mark.parametrize(
    ("other", "key"),
    [
        (StoreMeta({"teacher": "u", "dim": 8}, 3, 2), "teacher"),
        (StoreMeta({"teacher": "t", "dim": 8}, 4, 2), "images"),
        (StoreMeta({"teacher": "t", "dim": 8}, 3, 1), "shards"),
    ],
)
def test_another_plan_is_refused(tmp_path: Path, other: StoreMeta, key: str) -> None:
    begin_store(tmp_path, META)
    with pytest.raises(UserError, match=key):
        begin_store(tmp_path, other)
    assert read_meta(tmp_path) == META


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(UserError, match=tmp_path.name):
        begin_store(tmp_path, META)


def test_other_processes_wait_for_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "SECONDS_TO_WAIT", 0.1)
    with pytest.raises(UserError, match=r"meta\.json"):
        begin_store(tmp_path, META, rank=1)
    monkeypatch.setattr(plan, "SECONDS_TO_WAIT", 20)
    threading.Timer(0.3, begin_store, (tmp_path, META)).start()
    assert begin_store(tmp_path, META, rank=1) == META


def test_counts_are_written_once_every_shard_is_there(tmp_path: Path) -> None:
    begin_store(tmp_path, META)
    write_shard(tmp_path, 1, META.fingerprint, 8, [], [RECORD])
    assert finish_store(tmp_path, META) == META
    assert json.loads((tmp_path / "skipped.json").read_text()) == [RECORD]
    write_shard(tmp_path, 0, META.fingerprint, 8, [(1, random_regions(2)), (2, random_regions(3))])
    left = ("shard-00000.safetensors.7.tmp", "shard-00001.safetensors.tmp")
    for name in (*left, "shard-00001.safetensors.8.tmp", "meta.json.8.tmp"):
        (tmp_path / name).write_text("of a killed process, or of another one that goes on")
    before = time.time() - 2 * plan.SECONDS_TO_WRITE
    for name in left:
        os.utime(tmp_path / name, (before, before))
    meta = finish_store(tmp_path, META)
    assert meta.counts == dict(pictures=2, regions=5, skipped=1, empty=0)
    assert read_meta(tmp_path) == meta and meta.fingerprint == META.fingerprint
    there = {path.name for path in tmp_path.glob("*.tmp")}
    assert there == {"shard-00001.safetensors.8.tmp", "meta.json.8.tmp"}


def test_processes_may_finish_a_store_at_the_same_time(tmp_path: Path) -> None:
    begin_store(tmp_path, META)
    for number in range(META.shards):
        write_shard(tmp_path, number, META.fingerprint, 8, [(number, random_regions(2))])
    with ThreadPoolExecutor(8) as pool:
        found = [*pool.map(lambda _: finish_store(tmp_path, META).counts, range(200))]
    assert found == [dict(pictures=2, regions=4, skipped=0, empty=0)] * 200
    assert not list(tmp_path.glob("*.tmp"))


def test_a_store_without_any_region(tmp_path: Path) -> None:
    begin_store(tmp_path, META)
    for number in range(META.shards):
        write_shard(tmp_path, number, META.fingerprint, 8, [(number, random_regions(0))])
    meta = finish_store(tmp_path, META)
    assert "2 without one" in meta.summary
    with pytest.raises(UserError, match="2 images, 0 regions"):
        check_regions(tmp_path, meta)
