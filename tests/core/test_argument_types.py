"""Arguments of classes that a config names."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ovdistill.core.argument_types import check_arguments
from ovdistill.core.errors import UserError


class Base:
    def __init__(self, weight: float | None = None) -> None:
        self.weight = weight


class Thing(Base):
    def __init__(self, count: int, name: str, on: bool = True, many: Sequence[int] = (), **more):
        super().__init__(**more)


@pytest.mark.parametrize(
    "arguments",
    [
        dict(count=3, name="a", on=False, many=[1.5], weight=2),
        dict(weight=None),
        dict(unknown=object()),  # the class itself says that it takes no such argument
    ],
)
def test_arguments_of_the_stated_types(arguments):
    check_arguments(Thing, arguments, "thing")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(count=3.0), "thing: count is 3.0; expected a whole number"),
        (dict(count=True), "count is True; expected a whole number"),
        (dict(name=3), "name is 3; expected a text"),
        (dict(on="False"), "on is 'False'; expected True or False"),
        (dict(weight="2"), "weight is '2'; expected a number or None"),
        (dict(weight=float("nan")), "weight is nan; expected a number or None"),
    ],
)
def test_arguments_of_other_types(arguments, message):
    with pytest.raises(UserError, match=message):
        check_arguments(Thing, arguments, "thing")
