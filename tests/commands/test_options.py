"""Options as dataclasses: what is read from the command line for each type of a field."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from ovdistill.commands.options import (
    CommonOptions,
    ConfigOptions,
    add_options,
    argument,
    complete_recipe,
    flag,
    option,
    options_class,
    read_options,
)
from ovdistill.core.errors import UserError


@dataclass(frozen=True, kw_only=True)
class BaseOptions(CommonOptions):
    depth: int | None = option(None, help="how deep")


@dataclass(frozen=True, kw_only=True)
class EveryType(BaseOptions):
    source: Path = argument("where from")
    targets: tuple[str, ...] = argument("where to, 100 % of it", default=())
    rate: float = option(0.5, help="how fast")
    sizes: tuple[int, ...] = option((1, 2), help="how big")
    shape: Literal["round", "square"] | None = option(None, help="which form", old_flags=["--form"])
    resume: str | None = option(None, help="go on", bare_value="auto")
    secret: int = option(0, help=None, flags=["--hidden_secret"])
    out: str = option(help="what to write", flags=["-o"], metavar="FILE")
    dry: bool = flag(help="do nothing")


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser("program")
    add_options(made, EveryType)
    return made


def read(*words: str) -> EveryType:
    return read_options(EveryType, parser().parse_args([*words]))


def test_defaults_are_those_of_the_fields() -> None:
    options = read("a", "-o", "b")
    assert options == EveryType(source=Path("a"), out="b")
    assert (options.targets, options.rate, options.sizes) == ((), 0.5, (1, 2))
    assert (options.shape, options.resume, options.dry, options.depth) == (None, None, False, None)
    assert (options.quiet, options.log_level) == (False, "info")


def test_every_type_is_read() -> None:
    options = read(
        "a", "b", "c", "--out", "d", "--rate", "2", "--sizes", "3", "4", "--sizes", "5",
        "--shape", "round", "--resume", "x", "--dry", "--depth", "7", "-q", "--log-level", "error",
    )  # fmt: skip
    assert options == EveryType(
        source=Path("a"),
        targets=("b", "c"),
        out="d",
        rate=2.0,
        sizes=(3, 4, 5),  # a repeated option adds to what it had
        shape="round",
        resume="x",
        dry=True,
        depth=7,
        quiet=True,
        log_level="error",
    )


def test_an_option_whose_value_may_be_left_out() -> None:
    assert read("a", "-o", "b", "--resume").resume == "auto"
    assert read("a", "-o", "b", "--resume", "c", "--dry").resume == "c"


def test_old_and_hidden_spellings_are_read_and_not_shown() -> None:
    assert read("a", "-o", "b", "--form", "square").shape == "square"
    assert read("a", "-o", "b", "--hidden_secret", "3").secret == 3
    text = parser().format_help()
    assert "--form" not in text and "secret" not in text and "--shape" in text


@pytest.mark.parametrize(
    "words",
    [
        ["-o", "b"],
        ["a"],
        ["a", "-o", "b", "--shape", "oval"],
        ["a", "-o", "b", "--form", "oval"],
        ["a", "-o", "b", "--rate", "fast"],
        ["a", "-o", "b", "--sizes"],
    ],
)
def test_what_does_not_fit_exits_with_2(words: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as stopped:
        read(*words)
    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith("usage: program")


def test_the_help_says_types_and_defaults() -> None:
    text = " ".join(parser().format_help().split())
    for part in (
        "SOURCE where from",
        "--rate X how fast (default: 0.5)",
        "--sizes N [N ...] how big (default: 1 2)",
        "--shape {round,square} which form",
        "--depth N how deep",
        "-o FILE, --out FILE what to write",
        "where to, 100 % of it",
    ):
        assert part in text
    # a command's own options come first, those of all commands last
    assert text.index("how fast (") < text.index("how deep") < text.index("lowest level")


def test_levels() -> None:
    assert CommonOptions().level == "INFO"
    assert CommonOptions(quiet=True).level == CommonOptions(log_level="warning").level == "WARNING"
    assert CommonOptions(quiet=True, log_level="debug").level == "WARNING"
    assert CommonOptions(quiet=True, log_level="error").level == "ERROR"


def test_overrides_are_read_as_mmengine_reads_them() -> None:
    pairs = ("a.b=3", "c=[1,2]", "d=text", "e=x=y", "f=False", "g=(1,2)")
    read_as = {"a.b": 3, "c": [1, 2], "d": "text", "e": "x=y", "f": False, "g": (1, 2)}
    assert ConfigOptions(cfg_options=pairs).overrides == read_as
    assert ConfigOptions().overrides == {}
    with pytest.raises(UserError, match="no_equals_sign"):
        ConfigOptions(cfg_options=("a=1", "no_equals_sign"))


def test_repeated_overrides_add_up() -> None:
    made = argparse.ArgumentParser()
    add_options(made, ConfigOptions)
    found = made.parse_args(["--cfg-options", "a=1", "b=2", "--cfg-options", "a=3"])
    assert read_options(ConfigOptions, found).overrides == {"a": 3, "b": 2}


def test_the_dataclass_of_a_command() -> None:
    def command(options: EveryType) -> None: ...

    assert options_class(command) is EveryType


def test_recipes_complete() -> None:
    assert complete_recipe("vild_r18") == ["vild_r18_shapes"]
    assert complete_recipe("nothing") == []


@dataclass(frozen=True, kw_only=True)
class Bounded(CommonOptions):
    share: float = option(0.5, help="how much", least=0, most=1)
    count: int | None = option(None, help="how many", least=1)
    free: float = option(0.0, help="any")
    sizes: tuple[float, ...] = option((), help="some", least=0.5)


@dataclass(frozen=True, kw_only=True)
class BoundedWithConfig(Bounded, ConfigOptions):
    pass


@pytest.mark.parametrize(
    "words",
    ["--share nan", "--share -0.1", "--share 1.1", "--count 0", "--free inf", "--sizes 1 0.1"],
)
def test_numbers_out_of_bounds_name_their_option(words: str) -> None:
    made = argparse.ArgumentParser()
    add_options(made, Bounded)
    with pytest.raises(UserError, match=f"{words.split()[0]} {words.split()[-1]};"):
        read_options(Bounded, made.parse_args(words.split()))


@pytest.mark.parametrize(
    "value",
    [dict(share=-0.1), dict(count=0), dict(free=float("nan")), dict(sizes=(1, 0.1))],
    ids=str,
)
@pytest.mark.parametrize("kind", [Bounded, BoundedWithConfig])
def test_python_callers_are_held_to_the_bounds_too(kind, value) -> None:
    with pytest.raises(UserError, match=f"got --{[*value][0]} "):
        kind(**value)


@pytest.mark.parametrize("words", ["--share x", "--count 1e30", f"--count {'9' * 5000}"])
def test_what_is_no_number_is_bad_usage(words: str) -> None:
    made = argparse.ArgumentParser()
    add_options(made, Bounded)
    with pytest.raises(SystemExit) as stopped:
        made.parse_args(words.split())
    assert stopped.value.code == 2


def test_numbers_within_bounds() -> None:
    made = argparse.ArgumentParser()
    add_options(made, Bounded)
    words = "--share 1 --count 1 --free -3 --sizes 0.5 2"
    found = read_options(Bounded, made.parse_args(words.split()))
    assert found == Bounded(share=1.0, count=1, free=-3.0, sizes=(0.5, 2.0))
    assert read_options(Bounded, made.parse_args(["--count", "9" * 400])).count == 10**400 - 1
