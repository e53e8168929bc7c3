"""Long JSON lists, one value at a time: any bytes give the values or our error."""

from __future__ import annotations

import json
import math
import tracemalloc
from pathlib import Path

import pytest

from ovdistill.core import json_list
from ovdistill.core.errors import UserError
from ovdistill.core.json_list import read_json_list

VALUES = [{"a": [1, 2.5, 'é,]}\\" ☃'], "b": None}, [], "text", 12345, -1.5e3, True, {"c": {}}]


def read(content: bytes, folder: Path) -> list:
    (folder / "a.json").write_bytes(content)
    return list(read_json_list(folder / "a.json", "expected a list"))


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64, 1 << 20])
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("values", [[], VALUES[:1], VALUES])
def test_values_over_the_edges_of_chunks(values, indent, chunk, tmp_path, monkeypatch):
    monkeypatch.setattr(json_list, "CHUNK", chunk)
    content = json.dumps(values, indent=indent, ensure_ascii=False).encode()
    assert read(content, tmp_path) == read(b" \n" + content + b"\n ", tmp_path) == values


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_encodings(encoding, tmp_path):
    assert read(json.dumps(VALUES, ensure_ascii=False).encode(encoding), tmp_path) == VALUES


def test_nan_is_a_number(tmp_path):
    assert math.isnan(read(b"[NaN]", tmp_path)[0])


BAD = [b"", b" ", b"{}", b"5", b"[", b"[1", b"[1,", b"[1,]", b"[1 2]", b"[1]]", b'["a', b"[nul]"]
BAD += [b"\xff", b'["\xff"]', b"[" * 200_000, b'[{"a":' * 200_000, b"[" + b"9" * 5000 + b"]", b"\0"]


@pytest.mark.parametrize("content", BAD, ids=range(len(BAD)))
def test_other_content_is_an_error(content, tmp_path):
    with pytest.raises(UserError, match=r"a\.json"):
        read(content, tmp_path)


def test_a_long_list_takes_little_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(json_list, "CHUNK", 10_000)
    values = [{"number": i, "text": "x" * 50} for i in range(10_000)]
    (tmp_path / "a.json").write_text(json.dumps(values))
    tracemalloc.start()
    numbers = sum(value["number"] for value in read_json_list(tmp_path / "a.json", "a list"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert numbers == sum(range(10_000))
    assert peak < 200_000  # bytes, of a file of 800,000


def test_a_value_without_an_end_is_not_read_forever(tmp_path, monkeypatch):
    monkeypatch.setattr(json_list, "CHUNK", 4)
    monkeypatch.setattr(json_list, "LARGEST", 64)
    with pytest.raises(UserError, match="Unterminated"):
        read(b'["' + b"x" * 10_000 + b'"]', tmp_path)
