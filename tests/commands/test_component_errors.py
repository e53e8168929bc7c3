"""Values of a config that mmengine rejects are errors of the user, and defects are not."""

from __future__ import annotations

import pytest
from mmdet.registry import MODELS

import ovdistill.models.register  # noqa: F401
from ovdistill.commands.component_errors import PeerLost, user_error
from ovdistill.core.errors import UserError


@MODELS.register_module()
class Picky:
    def __init__(self, depth: int, inner: dict | None = None) -> None:
        assert depth > 0, "depth must be positive"
        self.inner = MODELS.build(inner) if inner else None


@pytest.mark.parametrize(
    ("config", "named"),
    [
        (dict(type="ResNett"), "ResNet"),
        (dict(type="no.such.thing"), "no.such.thing"),
        (dict(type="Picky"), "depth"),
        (dict(type="Picky", depth=1, colour="red"), "colour"),
        (dict(type="Picky", depth="x"), "Picky"),
        (dict(type="Picky", depth=-1), "positive"),
        (dict(type="Picky", depth=1, inner=dict(type="ResNet", depth=7)), "'ResNet'.*7"),
        (dict(type="Picky", depth=1, inner=dict(type="FPNN")), "FPNN.*FPN"),
        (dict(type=5), "5"),
    ],
)
def test_values_of_a_config(config: dict, named: str) -> None:
    with pytest.raises(Exception) as caught:
        MODELS.build(config)
    found = user_error(caught.value)
    assert found is not None
    with pytest.raises(UserError, match=rf"^[^\n]*{named}[^\n]*$"):
        raise found


def test_defects_are_not_errors_of_the_user() -> None:
    for error in (KeyError("x"), TypeError("f() missing 1 argument"), RuntimeError("no")):
        assert user_error(error) is None
    assert user_error(UserError("mine")) is None


def test_a_process_that_is_lost() -> None:
    error = RuntimeError("[../gloo/transport/tcp/pair.cc:547] Connection closed by peer [::1]:1")
    found = user_error(error)
    assert isinstance(found, PeerLost) and found.exit_code == 1
