"""Configs are found by path or by the name of a shipped recipe, from any folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovdistill.core import recipes
from ovdistill.core.errors import UserError
from ovdistill.core.recipes import find_recipe, recipe_folder, recipe_names


def test_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    names = recipe_names()
    assert "vild_r18_shapes" in names and names == sorted(names)
    assert not any(name.startswith("_") for name in names)
    for name in names:
        assert find_recipe(name) == recipe_folder() / f"{name}.py"
        assert find_recipe(name).is_file()
    assert find_recipe("vild_r18_shapes.py") == find_recipe("vild_r18_shapes")


def test_a_file_comes_before_a_recipe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "vild_r18_shapes.py"
    own.write_text("")
    assert find_recipe("vild_r18_shapes.py").resolve() == own
    assert find_recipe(own) == own
    assert find_recipe("vild_r18_shapes") == recipe_folder() / "vild_r18_shapes.py"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("vild_r18_shape", "vild_r18_shapes"),
        ("vild_r18_shapes.yaml", "vild_r18_shapes"),
        ("configs/vild_r18_shapes.py", "vild_r18_shapes"),  # a checkout's path, elsewhere
        ("zzzzzz", None),
    ],
)
def test_near_misses_are_named(
    name: str, meant: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as caught:
        find_recipe(name)
    assert name in str(caught.value)
    assert (meant or recipe_names()[0]) in str(caught.value)


def test_a_folder_or_a_base_is_no_recipe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (tmp_path, "_base_/vild_detector", "_base_", ""):
        with pytest.raises(UserError):
            find_recipe(name)


def test_an_installation_without_recipes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(recipes, "FOLDERS", (tmp_path / "a", tmp_path / "b"))
    with pytest.raises(UserError, match="b"):
        recipe_folder()
    (tmp_path / "b" / "_base_").mkdir(parents=True)
    assert recipe_folder() == tmp_path / "b"
