"""A changed bit in a safetensors file is found; files without a checksum pass."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from ovdistill.core.checksums import KEY, UNSET, seal, verify_tensors
from ovdistill.core.errors import UserError

TENSORS = {"a": torch.arange(6.0), "sha256": torch.zeros(2)}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.safetensors"
    save_file(TENSORS, path, {"note": f'"{KEY}":"{UNSET}"', KEY: UNSET})
    seal(path)
    return path


def test_a_sealed_file_is_a_safetensors_file(path):
    assert verify_tensors(path)
    assert torch.equal(load_file(path)["a"], TENSORS["a"])


def test_every_changed_byte_is_found(path):
    content = path.read_bytes()
    place = content.index(f'"{KEY}":"'.encode()) + 1
    for index in range(len(content)):
        changed = bytearray(content)
        changed[index] ^= 1
        path.write_bytes(changed)
        if index < 8 or place - 1 <= index < place + len(KEY) + 3:
            continue  # its own name is lost: safetensors or the reader of the format may see it
        with pytest.raises(UserError, match="bits have changed"):
            verify_tensors(path, "Fetch it again.")


def test_a_file_without_a_checksum_passes(tmp_path):
    save_file(TENSORS, tmp_path / "a", {"format": "pt"})
    assert not verify_tensors(tmp_path / "a")
    with pytest.raises(ValueError, match="a"):
        seal(tmp_path / "a")


@pytest.mark.parametrize("content", [b"", b"\xff" * 8, b"\xff" * 100, b"\0" * 20])
def test_any_bytes(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    assert not verify_tensors(tmp_path / "a")
    with pytest.raises(UserError, match=str(tmp_path)):
        verify_tensors(tmp_path)
