"""Values of a config that mmengine rejects are errors of the user, and defects are not."""

from __future__ import annotations

from pathlib import Path

import pytest
from mmdet.registry import MODELS
from mmengine.config import Config

import ovdistill.models.register  # noqa: F401
from ovdistill.commands.component_errors import ComponentDefect, PeerLost, clearer_error
from ovdistill.core.errors import UserError


@MODELS.register_module()
class Picky:
    def __init__(self, depth: int, inner: dict | None = None) -> None:
        assert depth > 0, "depth must be positive"
        self.inner = MODELS.build(inner) if inner else None
        self.helped = help_picky(5) if depth == 99 else None


@MODELS.register_module()
class Derived(Picky):
    def __init__(self, colour: str = "red", **kwargs) -> None:
        super().__init__(**kwargs)


def help_picky(times: int, *, of: str) -> None: ...


def raised(config: dict, folder: Path | None = None) -> Exception | None:
    """What is reported in place of the error of making a component."""
    whole = whole_config(dict(model=dict(type="Outer", parts=[config])), folder)
    with pytest.raises(Exception) as caught:
        build_part(whole)
    return clearer_error(caught.value)


def whole_config(values: dict, folder: Path | None) -> Config:
    """A config, of a file own.py in a folder if one is given."""
    if folder is None:
        return Config(values)
    (folder / "own.py").write_text("")
    return Config(values, filename=str(folder / "own.py"))


def teacher_of(config: Config) -> dict:
    return config.teacher


def build_part(config: Config) -> None:
    MODELS.build(config.model.parts[0])


@pytest.mark.parametrize(
    ("config", "named"),
    [
        (dict(type="ResNett"), "ResNet"),
        (dict(type="no.such.thing"), "no.such.thing"),
        (dict(type="Picky"), "Picky needs 'depth'"),
        (dict(type="Picky", depth=1, colour="red"), "colour=.*it also takes inner"),
        (dict(type="Picky", dept=1), "dept=.*did you mean depth"),
        (dict(type="Derived", dept=1), "dept=.*did you mean depth"),
        (dict(type="Derived"), "needs 'depth'"),
        (dict(type="Picky", depth=-1), "positive"),
        (dict(type="Picky", depth=1, inner=dict(type="ResNet", depth=7)), "ResNet.*7"),
        (dict(type="Picky", depth=1, inner=dict(type="FPNN")), "FPNN.*FPN"),
        (dict(type=5), "5"),
    ],
)
def test_values_of_a_config(config: dict, named: str) -> None:
    found = raised(config)
    with pytest.raises(UserError, match=rf"^[^\n]*{named}[^\n]*$"):
        raise found


def test_file_and_key_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"/own\.py, model\.parts\.0: got dept="):
        raise raised(dict(type="Picky", dept=1), tmp_path)
    inner = dict(type="Picky", depth=1, inner=dict(type="FPNN"))
    with pytest.raises(UserError, match=r"/own\.py, model\.parts\.0\.inner: got type='FPNN'"):
        raise raised(inner, tmp_path)


@pytest.mark.parametrize("depth", ["x", 99], ids=["a wrong type", "a wrong call of a helper"])
def test_code_of_ones_own_that_fails_keeps_its_traceback(depth: str | int, tmp_path: Path) -> None:
    found = raised(dict(type="Picky", depth=depth), tmp_path)
    assert isinstance(found, ComponentDefect)
    place = rf"/own\.py, model\.parts\.0: .*{Path(__file__).name}, line \d+: TypeError"
    with pytest.raises(ComponentDefect, match=place):
        raise found


def test_defects_are_not_errors_of_the_user() -> None:
    for error in (KeyError("x"), TypeError("f() missing 1 argument"), RuntimeError("no")):
        assert clearer_error(error) is None
    assert clearer_error(UserError("mine")) is None


def test_a_part_that_a_command_needs(tmp_path: Path) -> None:
    config = whole_config(dict(teahcer=dict(model="x")), tmp_path)

    with pytest.raises(AttributeError) as caught:
        teacher_of(config)
    with pytest.raises(UserError, match=r"own\.py has no 'teacher'.*did you mean teahcer"):
        raise clearer_error(caught.value)


def test_a_process_that_is_lost() -> None:
    error = RuntimeError("[../gloo/transport/tcp/pair.cc:547] Connection closed by peer [::1]:1")
    found = clearer_error(error)
    assert isinstance(found, PeerLost) and found.exit_code == 1
