"""Checkpoints are read whatever mmengine puts into them, and never run code."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import MessageHub
from safetensors.torch import save_file

from ovdistill.core.checkpoints import (
    check_finite,
    last_checkpoint,
    read_checkpoint,
    read_weights,
    write_checkpoint,
)
from ovdistill.core.errors import UserError

WEIGHTS = {"a.weight": torch.arange(6.0).reshape(2, 3), "b": torch.tensor(1)}


class Attack:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return open, (str(self.path), "w")


class CallOfMethod:
    """Calls a method, which pickle reaches by getattr, as mmengine's log buffers do."""

    def __reduce__(self) -> tuple[object, ...]:
        return "text".upper, ()


def check(weights: dict[str, torch.Tensor]) -> None:
    assert weights.keys() == WEIGHTS.keys()
    assert all(torch.equal(weights[name], value) for name, value in WEIGHTS.items())


def test_safetensors_and_plain_and_nested_pth(tmp_path: Path) -> None:
    save_file(WEIGHTS, tmp_path / "a.safetensors")
    torch.save(WEIGHTS, tmp_path / "plain.pth")
    torch.save({"state_dict": WEIGHTS, "meta": {"epoch": 1}}, tmp_path / "nested.pth")
    for name in ("a.safetensors", "plain.pth", "nested.pth"):
        check(read_weights(tmp_path / name))
        check(read_weights(str(tmp_path / name)))


def test_a_checkpoint_of_mmengine_with_its_log_buffers(tmp_path: Path) -> None:
    hub = MessageHub("test_a_checkpoint")
    for value in (0.5, 0.25):
        hub.update_scalar("train/loss", value)
        hub.update_scalar("train/lr", np.float32(value))
        hub.update_scalar("train/steps", np.int64(3))
    hub.update_info("epoch", 1)
    hub.update_info("time", np.float64(1.5))
    content = {
        "meta": {"epoch": 1, "seed": 0, "dataset_meta": {"classes": ("a", "b")}},
        "state_dict": WEIGHTS,
        "message_hub": hub.state_dict(),
        "optimizer": torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=0.1).state_dict(),
        "param_schedulers": [{"last_step": 2}],
    }
    torch.save(content, tmp_path / "iter_2.pth")
    with pytest.raises(pickle.UnpicklingError):  # without the stand-ins
        torch.load(tmp_path / "iter_2.pth", weights_only=True)
    check(read_weights(tmp_path / "iter_2.pth"))
    with pytest.raises(pickle.UnpicklingError):  # they are gone afterwards
        torch.load(tmp_path / "iter_2.pth", weights_only=True)


@pytest.mark.parametrize("as_zip", [True, False])
def test_code_in_a_checkpoint_is_refused_and_not_run(tmp_path: Path, as_zip: bool) -> None:
    content = {"state_dict": WEIGHTS, "meta": Attack(tmp_path / "ran")}
    torch.save(content, tmp_path / "a.pth", _use_new_zipfile_serialization=as_zip)
    with pytest.raises(UserError, match=r"a\.pth"):
        read_weights(tmp_path / "a.pth")
    (tmp_path / "raw.pth").write_bytes(pickle.dumps(content))
    with pytest.raises(UserError, match=r"raw\.pth"):
        read_weights(tmp_path / "raw.pth")
    assert not (tmp_path / "ran").exists()


def test_getattr_gives_nothing_that_could_be_called(tmp_path: Path) -> None:
    torch.save({"state_dict": WEIGHTS, "meta": "text".upper}, tmp_path / "a.pth")
    check(read_weights(tmp_path / "a.pth"))
    torch.save({"state_dict": WEIGHTS, "meta": CallOfMethod()}, tmp_path / "a.pth")
    with pytest.raises(UserError, match=r"a\.pth"):
        read_weights(tmp_path / "a.pth")


def test_damaged_missing_and_other_files(tmp_path: Path) -> None:
    torch.save({"state_dict": WEIGHTS}, tmp_path / "a.pth")
    save_file(WEIGHTS, tmp_path / "a.safetensors")
    for name in ("a.pth", "a.safetensors"):
        content = (tmp_path / name).read_bytes()
        for damaged in (b"", content[:20], content[:-30], b"no checkpoint at all"):
            (tmp_path / name).write_bytes(damaged)
            with pytest.raises(UserError, match=name):
                read_weights(tmp_path / name)
    with pytest.raises(UserError, match=r"none\.pth.*ovdistill train"):
        read_weights(tmp_path / "none.pth")
    with pytest.raises(UserError):
        read_weights(tmp_path)


@pytest.mark.parametrize(
    "content", [torch.ones(2), [1, 2], {"model": {"a": torch.ones(1)}}, {"state_dict": [1]}]
)
def test_what_is_not_tensors_by_name(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(UserError, match=r"a\.pth"):
        read_weights(tmp_path / "a.pth")


def test_last_checkpoint_of_a_folder_that_was_moved(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=tmp_path.name):
        last_checkpoint(tmp_path)
    (tmp_path / "last_checkpoint").write_text("/elsewhere/run/iter_20.pth\n")
    assert last_checkpoint(str(tmp_path)) == tmp_path / "iter_20.pth"


def test_what_is_written_is_read(tmp_path: Path) -> None:
    content = {"state_dict": WEIGHTS, "meta": {"iter": 3, "names": ("a", "b"), "x": [1.5, None]}}
    write_checkpoint(tmp_path / "a.pth", content)
    read = read_checkpoint(tmp_path / "a.pth")
    check(read["state_dict"])
    assert read["meta"] == content["meta"]
    assert [path.name for path in tmp_path.iterdir()] == ["a.pth"]


def test_flipped_bits_are_found_or_change_nothing(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "a.pth", {"state_dict": WEIGHTS, "meta": {"iter": 3}})
    content = (tmp_path / "a.pth").read_bytes()
    refused = 0
    for place in range(len(content)):
        flipped = bytearray(content)
        flipped[place] ^= 1 << place % 8
        (tmp_path / "b.pth").write_bytes(flipped)
        try:
            read = read_checkpoint(tmp_path / "b.pth")
        except UserError:
            refused += 1
            continue
        check(read["state_dict"])
        assert read["meta"] == {"iter": 3}
    assert refused > 500


def test_a_tensor_with_flipped_bits_is_named(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "a.pth", {"state_dict": {"a": torch.ones(256)}})
    content = bytearray((tmp_path / "a.pth").read_bytes())
    content[content.index(torch.ones(256).numpy().tobytes()) + 100] ^= 8
    (tmp_path / "b.pth").write_bytes(content)
    torch.load(tmp_path / "b.pth", weights_only=True)  # torch does not notice
    with pytest.raises(UserError, match=r"b\.pth.*bits of 'archive/data/0'"):
        read_checkpoint(tmp_path / "b.pth")


def test_a_part_that_claims_to_be_a_folder(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "a.pth", {"state_dict": WEIGHTS})
    content = bytearray((tmp_path / "a.pth").read_bytes())
    entry = content.rindex(b"archive/data/0") - 46  # of the central directory
    content[entry + 38] |= 0x10
    (tmp_path / "b.pth").write_bytes(content)
    with pytest.raises(UserError, match=r"b\.pth.*folder"):
        read_checkpoint(tmp_path / "b.pth")


def test_compressed_parts_are_refused(tmp_path: Path) -> None:
    torch.save({"state_dict": WEIGHTS}, tmp_path / "a.pth")
    with (
        zipfile.ZipFile(tmp_path / "a.pth") as source,
        zipfile.ZipFile(tmp_path / "b.pth", "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            target.writestr(name, source.read(name) + bytes(10_000))
    with pytest.raises(UserError, match=r"b\.pth.*compressed"):
        read_checkpoint(tmp_path / "b.pth")


def test_what_other_libraries_allow_is_not_called(tmp_path: Path) -> None:
    content = {"state_dict": WEIGHTS, "meta": Attack(tmp_path / "ran")}
    torch.save(content, tmp_path / "a.pth")
    torch.serialization.add_safe_globals([open])
    try:
        with pytest.raises(UserError):
            read_checkpoint(tmp_path / "a.pth")
        assert open in torch.serialization.get_safe_globals()  # theirs are as they were
    finally:
        torch.serialization.clear_safe_globals()
    assert not (tmp_path / "ran").exists()


def test_weights_that_are_not_finite() -> None:
    check_finite(WEIGHTS, "a.pth")
    for value in (float("nan"), float("-inf")):
        with pytest.raises(UserError, match=r"a\.pth.*1 of 3.*bad"):
            check_finite({**WEIGHTS, "bad": torch.tensor([0.0, value])}, "a.pth")
