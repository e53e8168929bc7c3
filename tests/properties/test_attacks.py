"""The attacks on checkpoints work where a reader allows what they need; ours runs no code."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import torch
from mmengine.logging import HistoryBuffer

from benchmarks.fuzzing.mutate_checkpoints import ATTACKS, MARKER, rebuilt, unzipped
from ovdistill.core.checkpoints import read_weights
from ovdistill.core.errors import UserError


@pytest.fixture(params=range(len(ATTACKS)))
def crafted(request, tmp_path, monkeypatch) -> Path:
    """A checkpoint with one of the attacks in its pickle; the working folder is an empty one."""
    file = io.BytesIO()
    torch.save({"state_dict": {"weight": torch.ones(2)}}, file)
    entries = unzipped(file.getvalue())
    assert entries is not None
    attack = ATTACKS[request.param]
    entries = [
        # behind the opcode of the protocol: its result lies below all else, out of the way
        (name, content[:2] + attack + content[2:] if name.endswith("data.pkl") else content)
        for name, content in entries
    ]
    path = tmp_path / "crafted.pth"
    path.write_bytes(rebuilt(entries))
    monkeypatch.chdir(tmp_path)
    return path


def test_our_reader_runs_no_code(crafted):
    try:
        read_weights(crafted)
    except UserError:
        pass
    assert not Path(MARKER).exists()


@pytest.mark.parametrize("crafted", [len(ATTACKS) - 1], indirect=True)
def test_the_hidden_attack_runs_code_where_getattr_is_allowed(crafted):
    with torch.serialization.safe_globals([HistoryBuffer, getattr]):
        torch.load(crafted, weights_only=True)
    assert Path(MARKER).exists()
