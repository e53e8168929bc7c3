"""Placeholders: filled in nested values, and never in a circle or without end."""

import pytest

from ovdistill.core.errors import UserError
from ovdistill.models import placeholders
from ovdistill.models.placeholders import fill_placeholders


def test_placeholders_are_filled_in_nested_values():
    config = dict(
        root="data",
        file="{root}/a.json",
        number=3,
        nested=dict(list=["{root}", dict(x="{file}+{root}")], pair=("{root}", 1), none=None),
    )
    filled = fill_placeholders(config)
    assert filled["file"] == "data/a.json" and filled["number"] == 3
    assert filled["nested"] == dict(
        list=["data", dict(x="data/a.json+data")], pair=("data", 1), none=None
    )
    assert config["file"] == "{root}/a.json"  # the given one is not changed


def test_placeholders_in_placeholders_are_filled_whatever_their_order():
    config = dict(a="{b}/a", b="{c}/b", c="c", also="{a} {a}")
    assert fill_placeholders(config) == dict(a="c/b/a", b="c/b", c="c", also="c/b/a c/b/a")


@pytest.mark.parametrize("text", ["a photo of a {}.", "{article} {}", "{number}", "{ root }", "{"])
def test_other_braces_stay(text):
    config = dict(root="data", number=3, templates=[text])
    assert fill_placeholders(config)["templates"] == [text]
    assert fill_placeholders(dict(templates=[text])) == dict(templates=[text])


@pytest.mark.parametrize(
    ("strings", "circle"),
    [
        (dict(a="{b}", b="x{a}"), r"[ab] -> [ab] -> [ab]"),
        (dict(a="{a}"), "a -> a"),
        (dict(start="{a}", a="{b}", b="{c}", c="{b}"), "b -> c -> b"),
    ],
)
def test_placeholders_that_name_each_other_are_an_error(strings, circle):
    with pytest.raises(UserError, match=circle):
        fill_placeholders(strings)


def test_further_placeholders_come_after_the_configs_own():
    config = dict(a="{folder}/{b}", b="own")
    assert fill_placeholders(config, dict(folder="F", b="other")) == dict(a="F/own", b="own")


def test_values_that_double_end_in_an_error():
    doubling = {f"a{n}": f"{{a{n + 1}}}{{a{n + 1}}}" for n in range(40)} | {"a40": "x"}
    with pytest.raises(UserError, match="characters"):
        fill_placeholders(doubling)
    wide = {"a": "x" * 100_000, "list": ["{a}"] * 1000}
    with pytest.raises(UserError, match="100000"):
        fill_placeholders(wide)


def test_a_long_chain_is_an_error():
    chain = {f"a{n}": f"{{a{n + 1}}}" for n in range(5000)}
    with pytest.raises(UserError, match="a1 -> a2"):
        fill_placeholders(chain)
    short = placeholders.MOST_LEVELS - 2
    filled = fill_placeholders(
        {f"a{n}": f"{{a{n + 1}}}" for n in range(short)} | {f"a{short}": "x"}
    )
    assert filled["a0"] == "x"
