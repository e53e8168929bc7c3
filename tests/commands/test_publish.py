"""What `ovdistill publish` reads; tests/test_smoke.py publishes a trained detector."""

from __future__ import annotations

import json

import pytest

from ovdistill.commands.publish import read_license, read_metrics
from ovdistill.core.errors import UserError


def test_metrics(tmp_path):
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps({"bbox/AP": 12.5, "images": 3, "note": "x"}))
    assert read_metrics(str(path)) == {"bbox/AP": 12.5}
    huge = f'{{"bbox/AP": 1{"0" * 400}}}'
    bad = ('{"bbox/AP": NaN}', '{"bbox/AP": -1e999}', huge, "[" * 100_000)
    for text in ("[]", "{", '{"a": 1}', *bad):
        path.write_text(text)
        with pytest.raises(UserError, match="metrics.json"):
            read_metrics(str(path))


def test_a_licence_is_a_name_or_a_file(tmp_path):
    assert read_license("apache-2.0") == "apache-2.0" and read_license("") == ""
    (tmp_path / "LICENSE").write_text("You may\nlook.")
    assert read_license(str(tmp_path / "LICENSE")) == "You may\nlook.\n"
    latin = tmp_path / "LATIN"
    latin.write_bytes("© me".encode("latin-1"))
    for text in ("no/such/file", "two words", str(latin)):
        with pytest.raises(UserError, match="--license"):
            read_license(text)
