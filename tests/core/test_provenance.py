"""A result says where it comes from."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from importlib.metadata import version

import ovdistill
from ovdistill.core.provenance import LIBRARIES, STACK, installed_version, provenance


def test_provenance_is_json_with_inputs_versions_and_date() -> None:
    found = provenance(config="configs/a.py", checkpoint="a.pth", evaluator="hotcoco", seed=3)
    assert json.loads(json.dumps(found)) == found
    assert (found["config"], found["checkpoint"], found["vocabulary"]) == (
        *("configs/a.py", "a.pth", None),
    )
    assert (found["evaluator"], found["seed"]) == ("hotcoco", 3)
    assert found["ovdistill"] == ovdistill.__version__
    age = datetime.now(timezone.utc) - datetime.fromisoformat(found["date"])
    assert 0 <= age.total_seconds() < 60
    assert found["libraries"].keys() == {*LIBRARIES, *STACK}
    assert found["libraries"]["torch"] == f"torch {version('torch')}"


def test_the_first_installed_distribution_counts() -> None:
    assert installed_version("no-such-distribution", "numpy") == f"numpy {version('numpy')}"
    assert installed_version("no-such-distribution") is None
