"""Damage of every kind is found and named; stores are described and merged."""

import json
import shutil
from dataclasses import replace

import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.store import TeacherStore, write_store
from ovdistill.store.maintenance import describe, merge, verify
from ovdistill.store.meta import TEACHER_FILES, read_meta, write_meta

from .regions import random_regions


def make(folder, ids, teacher="t"):
    records = [(image_id, random_regions(3, seed=image_id)) for image_id in ids]
    return write_store(folder, records, {"teacher": teacher, "image_ids": str(ids)}, 2)


@pytest.fixture
def folder(tmp_path):
    return make(tmp_path / "store", [1, 2, 3, 4, 5])


def test_a_good_store(folder):
    assert verify(folder) == TeacherStore(folder).meta
    assert verify(folder).shards == 3
    found = describe(folder)
    assert (found["shards"], found["images"], found["regions"]) == ("3 of 3", "5 of 5", 15)
    assert (found["teacher"], found["skipped_images"]) == ("t", 0)
    shards = sorted(folder.glob("shard-*"))
    assert found["bytes"] == sum(path.stat().st_size for path in shards)
    shards[1].unlink()
    found = describe(folder)
    assert (found["shards"], found["images"], found["regions"]) == ("2 of 3", "3 of 5", 9)
    assert json.loads(json.dumps(found)) == found


def test_every_flipped_bit_is_found(folder):
    path = folder / "shard-00001.safetensors"
    content = path.read_bytes()
    generator = torch.Generator().manual_seed(0)
    places = torch.randint(len(content), (60,), generator=generator).tolist()
    for place in [8, len(content) - 1, *places]:
        changed = bytearray(content)
        changed[place] ^= 1 << (place % 8)
        path.write_bytes(changed)
        with pytest.raises(UserError, match=r"shard-00001\.safetensors is"):
            verify(folder)
    path.write_bytes(content)
    verify(folder)


def test_all_damage_is_named_at_once(folder, tmp_path):
    first, second, third = (folder / f"shard-0000{n}.safetensors" for n in range(3))
    first.write_bytes(first.read_bytes()[:-5])
    other = make(tmp_path / "other", [7, 8, 9, 10], teacher="another")
    shutil.copy(other / second.name, second)
    third.unlink()
    (folder / "shard-00003.safetensors").write_bytes(b"?")
    with pytest.raises(UserError) as error:
        verify(folder)
    message = str(error.value)
    assert "4 problems" in message
    assert "shard-00000.safetensors is truncated" in message
    assert "shard-00001.safetensors is foreign" in message
    assert "shard-00002.safetensors is missing" in message
    assert "shard-00003.safetensors does not belong" in message


def test_a_shard_that_is_being_written_is_no_damage(folder):
    """As by another run, or left by one that was killed a minute ago."""
    (folder / "shard-00001.safetensors.0a1b2c3d.tmp").write_bytes(b"?")
    verify(folder)
    (folder / "thesis.tmp").write_bytes(b"?")
    with pytest.raises(UserError, match=r"1 problems:\n +thesis\.tmp does not belong"):
        verify(folder)


def test_a_store_that_was_not_finished(folder):
    meta = json.loads((folder / "meta.json").read_text())
    (folder / "meta.json").write_text(json.dumps(meta | {"counts": {}}))
    with pytest.raises(UserError, match="not finished"):
        verify(folder)


def test_merge(folder, tmp_path):
    other = make(tmp_path / "other", [10, 11, 12])
    meta = merge([folder, other], tmp_path / "both")
    assert meta.counts == dict(pictures=8, regions=24, skipped=0, empty=0)
    assert meta == verify(tmp_path / "both")
    parts = [verify(folder).fingerprint, verify(other).fingerprint]
    assert meta.provenance["merged"] == parts and "image_ids" not in meta.provenance
    both = TeacherStore(tmp_path / "both")
    assert both.image_ids == [1, 2, 3, 4, 5, 10, 11, 12]
    for image_id in both.image_ids:
        alone = TeacherStore(folder if image_id < 10 else other)[image_id]
        assert torch.equal(both[image_id].boxes, alone.boxes)
        assert torch.equal(both[image_id].embeddings, alone.embeddings)


def test_digests_of_inputs_are_compared_and_kept(folder, tmp_path):
    other = make(tmp_path / "other", [10])
    earlier = make(tmp_path / "earlier", [20])  # of a version without digests
    for store, network, source in ((folder, "1", "a"), (other, "2", "b")):
        write_meta(store, replace(read_meta(store), origin=dict(network=network, source=source)))
    with pytest.raises(UserError, match=r"network: 1 in .*/store, 2"):
        merge([earlier, folder, other], tmp_path / "out")
    write_meta(other, replace(read_meta(other), origin=dict(network="1", source="b")))
    assert merge([folder, other], tmp_path / "both").origin == dict(network="1")
    assert not merge([earlier, folder, other], tmp_path / "three").origin


def test_files_of_the_same_weights_may_differ(folder, tmp_path):
    """The plan identifies the weights themselves."""
    other = make(tmp_path / "other", [10])
    for store, files in ((folder, "1"), (other, "2")):
        write_meta(store, replace(read_meta(store), origin={TEACHER_FILES: files}))
    assert not merge([folder, other], tmp_path / "both").origin


def labelled(folder, ids, annotations, base="1"):
    boxes = dict(kind="labelled", source=f"{annotations}, 3 base categories", hash=annotations)
    records = [(image_id, random_regions(3, seed=image_id)) for image_id in ids]
    write_store(folder, records, {"teacher": "t", "image_ids": str(ids), "proposals": boxes})
    write_meta(folder, replace(read_meta(folder), origin={"base categories": base}))
    return folder


def test_labelled_boxes_of_two_annotation_files(tmp_path):
    first, second = labelled(tmp_path / "a", [1, 2], "x"), labelled(tmp_path / "b", [3], "y")
    meta = merge([first, second], tmp_path / "both")
    assert meta.counts["pictures"] == 3 and meta.origin == {"base categories": "1"}
    assert meta.provenance["proposals"]["hash"] == ""
    assert merge([first, second], tmp_path / "both") == meta
    more = labelled(tmp_path / "c", [4], "z")
    assert merge([tmp_path / "both", more], tmp_path / "all").counts["pictures"] == 4
    other = labelled(tmp_path / "d", [5], "y", base="2")  # as many base categories, but others
    with pytest.raises(UserError, match="base categories: 1 in .*, 2"):
        merge([first, other], tmp_path / "out")


def test_a_merge_that_was_cut_off_goes_on(folder, tmp_path):
    stores = [folder, make(tmp_path / "other", [10, 11, 12])]
    merge(stores, tmp_path / "whole")
    shutil.copytree(tmp_path / "whole", tmp_path / "cut")
    first, *others = sorted((tmp_path / "cut").glob("shard-*"))
    for path in others:
        path.unlink()
    written = first.stat().st_mtime_ns
    merge(stores, tmp_path / "cut")
    assert first.stat().st_mtime_ns == written
    for path in (tmp_path / "whole").iterdir():
        assert (tmp_path / "cut" / path.name).read_bytes() == path.read_bytes()


def test_stores_that_do_not_go_together(folder, tmp_path):
    with pytest.raises(UserError, match=r"teacher: t in .*, another"):
        merge([folder, make(tmp_path / "a", [10], teacher="another")], tmp_path / "out")
    with pytest.raises(UserError, match="2 images .*: 4"):
        merge([folder, make(tmp_path / "b", [4, 5, 6])], tmp_path / "out")
    with pytest.raises(UserError, match="1 stores"):
        merge([folder], tmp_path / "out")
    with pytest.raises(UserError, match="image_ids"):
        merge([folder, make(tmp_path / "c", [10])], folder)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("")
    with pytest.raises(UserError, match="full"):
        merge([folder, tmp_path / "c"], tmp_path / "full")
    assert not (tmp_path / "out").exists()
