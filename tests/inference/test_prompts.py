"""Queries: how a text is split, and what is refused."""

from __future__ import annotations

import pytest

from ovdistill.core.errors import UserError
from ovdistill.inference.queries import parse_queries


def test_queries():
    assert parse_queries(" red  star, ring,,red star ") == ("red star", "ring")
    assert parse_queries(["a, b", "c"]) == ("a, b", "c")
    for empty in ("", " , ", []):
        with pytest.raises(UserError, match="no query"):
            parse_queries(empty)
