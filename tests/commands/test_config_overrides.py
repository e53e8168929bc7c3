"""Overrides on the command line: read as mmengine reads them, and never an error of Python."""

from __future__ import annotations

import contextlib
import random
import time
from typing import Any

import pytest
from mmengine.config import DictAction

from ovdistill.commands.config_overrides import read_overrides, read_value
from ovdistill.core.errors import UserError

AS_MMENGINE = [
    *("1", "-1", "1e-3", "1_000", "0x1", "True", "FALSE", "None", "none", "inf", "text", "a=b", ""),
    *("1,2", "[1,2]", "(1,2)", "[]", "()", "a,", "[1]", "(1)", "[a,[b]]", "[(1,2),(3,4)]", "it's"),
    *("[None]", "[a](b)", "[x]y", "a/b-c.pth", "x]", "http://x/y?z=1"),
]


@pytest.mark.parametrize("text", AS_MMENGINE)
def test_values_are_those_of_mmengine(text: str) -> None:
    assert read_value(text) == DictAction._parse_iterable(text)
    assert type(read_value(text)) is type(DictAction._parse_iterable(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("/my data/x", "/my data/x"),  # mmengine drops the space
        ("red star, [green ring, ring]", ["red star", ["green ring", "ring"]]),
        ("'a, b'", "a, b"),
        ("['a, b', \"c]\", it's]", ["a, b", "c]", "it's"]),
        ('"3"', "3"),
        ("[1],[2]", [[1], [2]]),
        ("[ 1 , 2 ]", [1, 2]),
        ("(a", None),
        ("[1,2", None),
        ("a,(b", None),
        ("9" * 5000, None),
        ("1e999", None),
        ("nan", None),
        ("[" * 1000 + "]" * 1000, None),
    ],
)
def test_values_that_mmengine_reads_otherwise(text: str, value: Any) -> None:
    if value is None:
        with pytest.raises(UserError, match="--cfg-options a="):
            read_overrides([f"a={text}"])
    else:
        assert read_overrides([f"a={text}"]) == {"a": value}


@pytest.mark.parametrize("key", ["type", "model.type", "a.0.type", "optim_wrapper.constructor"])
def test_a_type_is_a_name(key: str) -> None:
    for name in ("ResNet", "nms", "mmdet.ResNet"):
        assert read_overrides([f"{key}={name}"]) == {key: name}
    code = ("os.system", "subprocess.Popen", "mmengine.load", "__import__('os')", "[os.system]")
    for text in code:
        with pytest.raises(UserError, match=key):
            read_overrides([f"{key}={text}"])


def test_any_text_is_a_value_or_our_error() -> None:
    random.seed(0)
    for _ in range(3000):
        text = "".join(random.choices("[](),'\" =.a1-e{}$\\\n\0é", k=random.randrange(20)))
        try:
            read_overrides([f"key={text}"])
        except UserError:
            continue


def seconds(text: str) -> float:
    """The least time of the processor in which a text is read, of three tries."""
    times = []
    for _ in range(3):
        start = time.process_time()
        with contextlib.suppress(UserError):
            read_overrides([f"key={text}"])
        times.append(time.process_time() - start)
    return min(times)


@pytest.mark.parametrize("unit", ["[", "(", "'", '"', ",", "[,", "','", "9", "a ", "[]", "',"])
def test_the_time_grows_as_the_text(unit: str) -> None:
    text = unit * (50_000 // len(unit))
    assert seconds(4 * text) < 10 * seconds(text)  # about 4 times; 16 times if by the square
