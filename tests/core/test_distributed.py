"""Ranks as launchers set them, and waiting; tests/test_smoke.py trains with two processes."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
import torch

from ovdistill.core.distributed import (
    LAUNCHERS,
    RANK_VARIABLES,
    get_rank,
    get_world_size,
    is_initialized,
    is_main_process,
    patient_group,
    ranks_of,
    unwrapped,
    wait_for_file,
)
from ovdistill.core.errors import UserError


@pytest.mark.parametrize("launcher", RANK_VARIABLES)
def test_ranks_are_those_of_the_launcher(launcher: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in zip(RANK_VARIABLES[launcher], ("5", "8", "1"), strict=True):
        monkeypatch.setenv(name, value)
    assert ranks_of(launcher) == (5, 8, 1)


def test_a_single_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "5")  # set by something else
    assert ranks_of("none") == (0, 1, 0)
    assert not is_initialized()
    assert (get_rank(), get_world_size(), is_main_process()) == (0, 1, True)
    assert patient_group() is None


def test_a_wrapped_model_is_the_model_itself() -> None:
    model = torch.nn.Linear(1, 1)
    assert unwrapped(torch.nn.DataParallel(model)) is model
    assert unwrapped(model) is model


@pytest.mark.parametrize("launcher", RANK_VARIABLES)
def test_a_process_that_nothing_has_started_names_the_launcher(
    launcher: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in RANK_VARIABLES[launcher]:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match=f"{launcher}.*{RANK_VARIABLES[launcher][0]}"):
        ranks_of(launcher)


@pytest.mark.parametrize("launcher", RANK_VARIABLES)
@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        (("abc", "2", "0"), 0),
        (("1", "", "0"), 1),
        (("0", "-1", "0"), 1),
        (("0", "0", "0"), 1),
        (("2", "2", "0"), 0),
        (("-1", "2", "0"), 0),
        (("1", "2", "99"), 2),
        (("1", "2", "1.0"), 2),
        (("9" * 5000, "2", "1"), 0),
    ],
)
def test_values_that_cannot_be_name_their_variable(
    launcher: str, values: tuple[str, ...], wrong: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in zip(RANK_VARIABLES[launcher], values, strict=True):
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match=f"{RANK_VARIABLES[launcher][wrong]}="):
        ranks_of(launcher)


def test_unknown_launchers() -> None:
    with pytest.raises(UserError, match=f"'rocket'.*{LAUNCHERS[1]}"):
        ranks_of("rocket")
    assert set(LAUNCHERS) == {"none", *RANK_VARIABLES}


def test_in_a_process_group(tmp_path: Path) -> None:
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/meet", rank=0, world_size=1
    )
    try:
        assert is_initialized()
        assert (get_rank(), get_world_size(), is_main_process()) == (0, 1, True)
        group = patient_group()
        assert group is not None
        torch.distributed.barrier(group)
    finally:
        torch.distributed.destroy_process_group()


def test_waiting_for_a_file(tmp_path: Path) -> None:
    file = tmp_path / "ready"
    with pytest.raises(UserError, match="ready"):
        wait_for_file(file, 0.1)
    threading.Timer(0.3, file.touch).start()
    start = time.monotonic()
    wait_for_file(file, 20)
    assert time.monotonic() - start < 10
