"""Property of every reader: any input gives a result or a ``UserError``, and runs no code.

A few inputs of each, always the same ones; `benchmarks/fuzz.py` tries millions.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.fuzzing.mutate_json import dump
from benchmarks.fuzzing.reader import Files, Reader, generate
from benchmarks.fuzzing.readers import READERS
from benchmarks.fuzzing.worker import Fault, try_input

SECONDS = 10
FEW = settings(derandomize=True, max_examples=40, deadline=None, database=None)
# what a JSON file may hold, and more: NaN and infinity, which Python writes and reads
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
OF_JSON = [name for name in READERS if name in ("annotations", "caption-texts", "proposals")]


@lru_cache
def reader_and_seeds(name: str) -> tuple[Reader, tuple[Files, ...]]:
    reader = READERS[name]()
    return reader, tuple(reader.seeds())


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Iterator[Path]:
    """A working folder, where code of an input would leave its mark."""
    path = tmp_path_factory.mktemp("inputs")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        yield path / "input"


def check(reader: Reader, files: Files, folder: Path) -> None:
    def stop(*_: Any) -> None:
        raise TimeoutError(f"no end within {SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    logging.disable(logging.CRITICAL)  # captured messages of any bytes do not fit into a report
    try:
        _, result = try_input(reader, 0, files, folder)
    finally:
        logging.disable(logging.NOTSET)
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    assert not isinstance(result, Fault), f"{result.title}\n{result.detail}"


@pytest.mark.parametrize("name", READERS)
def test_a_reader_accepts_its_seeds(name, folder):
    reader, seeds = reader_and_seeds(name)
    for files in seeds:
        assert try_input(reader, 0, files, folder)[1] is None


@pytest.mark.parametrize("name", READERS)
def test_a_mutated_input_gives_a_result_or_our_error(name, folder):
    reader, seeds = reader_and_seeds(name)

    @FEW
    @given(number=st.integers(0, 2**32 - 1))
    def any_number(number: int) -> None:
        check(reader, generate(reader, seeds, 0, number), folder)

    any_number()


@pytest.mark.parametrize("name", READERS)
def test_any_bytes_give_a_result_or_our_error(name, folder):
    reader, seeds = reader_and_seeds(name)
    file = st.sampled_from(sorted(seeds[0]))

    @FEW
    @given(file=file, content=st.binary(max_size=100))
    def any_bytes(file: str, content: bytes) -> None:
        check(reader, {**seeds[0], file: content}, folder)

    any_bytes()


@pytest.mark.parametrize("name", OF_JSON)
def test_any_json_gives_a_result_or_our_error(name, folder):
    reader, seeds = reader_and_seeds(name)
    (file,) = seeds[0]

    @FEW
    @given(value=JSON)
    def any_value(value: Any) -> None:
        check(reader, {file: dump(value)}, folder)

    any_value()


def test_the_same_number_is_the_same_input():
    for name in READERS:
        (reader, seeds), again = reader_and_seeds(name), READERS[name]()
        same_seeds = again.seeds()
        for number in range(20):
            made = generate(reader, seeds, 0, number)
            assert generate(again, same_seeds, 0, number) == made, (name, number)
