"""Python configs: whatever is wrong with one is an error that names the file, and the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovdistill.core.errors import UserError
from ovdistill.models.config import load_config

SOURCES = {
    "syntax": ("a = 1\nb = = 2\n", "line 2"),
    "raises": ("a = 1\n\nb = 1 / 0\n", "line 3.*ZeroDivisionError"),
    "exits": ("raise SystemExit(0)\n", "line 1.*SystemExit"),
    "null byte": ("a = '\0'\n", "null"),
    "brackets": ("a = " + "[" * 200_000, "line 1"),
    "minus signs": ("a = " + "-" * 200_000 + "1", "own.py"),
    "base missing": ("_base_ = ['none.py']\n", "none.py"),
    "base computed": ("a = 1\n_base_ = sorted(['none.py'])\n", "line 2"),
    "base of numbers": ("_base_ = [1]\n", "line 1"),
    "base YAML": ("_base_ = 'other.yaml'\n", "other.yaml"),
    "base itself": ("_base_ = 'own.py'\n", "own.py"),
    "base of another kind": ("_base_ = 'own.txt'\n", "own.txt"),
    "reserved key": ("filename = 1\n", "filename"),
    "circle of lists": ("a = []\na.append(a)\n", "own.py"),
    "environment": ("a = '{{$NO_SUCH_VARIABLE:}}'\n", "NO_SUCH_VARIABLE"),
    "template": ("a = {{$NO_SUCH_VARIABLE:(}}\n", "own.py"),
    "imports of numbers": ("custom_imports = dict(imports=[1])\n", "custom_imports"),
    "imports nothing": ("custom_imports = 5\n", "custom_imports"),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_a_config_that_cannot_be_read(kind: str, tmp_path: Path) -> None:
    source, named = SOURCES[kind]
    path = tmp_path / "own.py"
    path.write_text(source)
    with pytest.raises(UserError, match=rf"(?s)^[^\n]*{named}[^\n]*$"):
        load_config(path)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a = '\xe9'\n", b"\xef\xbb\xbf\xff"])
def test_bytes_that_are_no_text(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"own\.py.*UTF-8"):
        load_config(path)


@pytest.mark.parametrize("name", ["own.txt", "own", "own.pkl", "own.PY"])
def test_other_suffixes(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("a = 1\n")
    with pytest.raises(UserError, match=name):
        load_config(tmp_path / name)


@pytest.mark.parametrize("name", ["own.yaml", "own.yml"])
def test_yaml_runs_nothing(name: str, tmp_path: Path) -> None:
    source = f"!!python/object/apply:os.system ['touch {tmp_path}/mark']\n"
    (tmp_path / name).write_text(source)
    for config in (tmp_path / name, tmp_path / "base.py"):
        (tmp_path / "base.py").write_text(f"_base_ = ['{name}']\n")
        with pytest.raises(UserError, match="YAML"):
            load_config(config)
    assert not (tmp_path / "mark").exists()


def test_an_error_in_a_base_names_the_base(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("_base_ = 'below.py'\n")
    (tmp_path / "below.py").write_text("a = 1\nb = nothing\n")
    with pytest.raises(UserError, match=r"below\.py, line 2.*nothing"):
        load_config(tmp_path / "own.py")
    (tmp_path / "below.py").write_text("a = 1\nb = (\n")
    with pytest.raises(UserError, match=r"below\.py, line 2"):
        load_config(tmp_path / "own.py")


def test_two_bases_with_one_key(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("_base_ = 'below.py'\n")
    (tmp_path / "below.py").write_text("_base_ = ['a.py', 'b.py', 'c.py']\n")
    for name, source in (("a", "x = 1"), ("b", "y = dict(z=1)\nw = 2"), ("c", "y = 3\nw = 4")):
        (tmp_path / f"{name}.py").write_text(source)
    message = r"^[^\n]*below\.py: _base_ names b\.py and c\.py, which both have w, y\.[^\n]*$"
    with pytest.raises(UserError, match=message):
        load_config(tmp_path / "own.py")


def test_a_base_that_is_not_there_has_near_names(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("_base_ = 'pipelin.py'\n")
    (tmp_path / "pipeline.py").write_text("a = 1\n")
    with pytest.raises(UserError, match=r"pipelin\.py.*did you mean pipeline\.py"):
        load_config(tmp_path / "own.py")


def test_a_folder_is_no_config(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("a = 1\n")
    with pytest.raises(UserError, match=rf"got the folder {tmp_path}; .*own\.py"):
        load_config(tmp_path)


@pytest.mark.parametrize("source", ["raise ValueError('mine')", "raise SystemExit", "x = 1 / 0"])
def test_a_module_that_raises(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "module_that_raises.py").write_text(source)
    (tmp_path / "own.py").write_text("custom_imports = dict(imports=['module_that_raises'])\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError, match=r"own\.py.*module_that_raises\.py, line 1: "):
        load_config(tmp_path / "own.py")


@pytest.mark.parametrize(
    "options",
    [
        {"a..b": 1},
        {"": 1},
        {".a": 1},
        {"a.": 1},
        {"list.0": 1},
        {"list.7": 1},
        {"list.-1": 1},
        {"list.²": 1},
        {f"list.{'9' * 5000}.x": 1},
        {"list.x.y": 1},
        {"text.a": 1},
        {"number.a.b": 1},
        {"number": 1, "number.a": 2},
        {"_base_": "x.py"},
        {"custom_imports.imports": ["this"]},
        {"filename": "x"},
        {".".join("a" * 3000): 1},
    ],
    ids=lambda options: " ".join(options)[:30],
)
def test_options_that_do_not_fit(options: dict, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("list = [1, 2]\ntext = 'x'\nnumber = 3\n")
    with pytest.raises(UserError):
        load_config(tmp_path / "own.py", options)
