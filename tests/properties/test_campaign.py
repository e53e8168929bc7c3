"""The campaign of `benchmarks/fuzz.py` notices every way in which a reader can go wrong."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.fuzzing import campaign
from benchmarks.fuzzing.mutate_checkpoints import MARKER
from benchmarks.fuzzing.reader import MEGABYTE, Reader
from ovdistill.core.errors import UserError

INPUTS = 5
BAD = 3  # the number of the input that goes wrong


class OneGoesWrong(Reader):
    """Reader of files that hold their number; ``wrong`` is called for one of them."""

    name = "one-goes-wrong"
    memory = 200 * MEGABYTE

    def __init__(self, wrong: Callable[[], object]) -> None:
        self.wrong = wrong

    def seeds(self):
        return [{"input": b"seed"}]

    def mutate(self, files, rng):
        # the campaign seeds the generator by the number alone
        return {"input": b"%d" % NUMBERS[rng.random()]}

    def read(self, folder: Path) -> None:
        content = (folder / "input").read_bytes()
        if content == b"%d" % BAD:
            self.wrong()
        if content == b"0":
            raise UserError("refused")


def _numbers() -> dict[float, int]:
    """Return the number of an input by what its generator draws first behind the seed."""
    from random import Random

    found = {}
    for number in range(INPUTS):
        rng = Random(f"0 {OneGoesWrong.name} {number}")
        rng.choice([0])
        found[rng.random()] = number
    return found


NUMBERS = _numbers()


def run(folder: Path, wrong: Callable[[], object]) -> campaign.Campaign:
    found = campaign.Campaign([OneGoesWrong(wrong)], INPUTS, 0, 1, folder / "out")
    found.run()
    return found


def use_memory() -> None:
    assert len(bytes(400 * MEGABYTE)) > 0


WAYS = {
    "error": (lambda: 1 // 0, "ZeroDivisionError"),
    "crash": (lambda: os.kill(os.getpid(), signal.SIGSEGV), "SIGSEGV"),
    "exit": (lambda: os._exit(3), "exit code 3"),
    "hang": (lambda: time.sleep(60), "no end within"),
    "code": (lambda: Path(MARKER).touch(), "code of the input was run"),
    "memory": (use_memory, "Memory"),
    "long message": (lambda: (_ for _ in ()).throw(UserError("x" * 20_000)), "a message of over"),
}


@pytest.mark.parametrize("way", WAYS)
def test_one_input_goes_wrong(way, tmp_path, monkeypatch):
    monkeypatch.setattr(campaign, "SECONDS", 1.0)
    wrong, expected = WAYS[way]
    done = run(tmp_path, wrong)
    (fault,) = done.faults()
    assert expected in fault["title"]
    assert (fault["number"], fault["count"]) == (BAD, 1)
    kept = tmp_path / "out" / fault["folder"]
    assert (kept / "input" / "input").read_bytes() == b"%d" % BAD
    assert (kept / "traceback.txt").is_file()
    count = done.counts[OneGoesWrong.name]
    assert (count.accepted, count.refused, count.faults) == (INPUTS - 2, 1, 1)


def test_nothing_goes_wrong(tmp_path):
    done = run(tmp_path, lambda: None)
    count = done.counts[OneGoesWrong.name]
    assert (count.accepted, count.refused, count.faults) == (INPUTS - 1, 1, 0)
    assert done.faults() == []


def test_a_seed_that_is_refused_is_a_fault(tmp_path, monkeypatch):
    monkeypatch.setattr(OneGoesWrong, "seeds", lambda self: [{"input": b"0"}])
    (fault,) = run(tmp_path, lambda: None).faults()
    assert "seed 0" in fault["title"]
