"""What scripts beside the package import from it is there, by the sources alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("benchmarks", "tools", "demo", "docs")
SCRIPTS = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


def source_of(module: str) -> Path | None:
    """The file of a module or package; None for one that is not there."""
    path = ROOT / module.replace(".", "/")
    found = (path / "__init__.py", path.with_suffix(".py"))
    return next((file for file in found if file.is_file()), None)


def bound_names(node: ast.AST) -> Iterator[str]:
    """Names that a module's statements bind, those below conditions included."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield child.name
        elif isinstance(child, ast.alias):
            yield child.asname or child.name
        elif isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            yield child.id
        else:
            yield from bound_names(child)


@cache
def names_of(module: str) -> frozenset[str]:
    """What can be imported from a module by its source; nothing from one that is not there."""
    source = source_of(module)
    return frozenset(bound_names(ast.parse(source.read_text()))) if source else frozenset()


def missing(text: str) -> list[str]:
    """The modules and names of the package that a script imports and that are not there."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if not is_there(alias.name)]
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            found += [name for name in names if not is_there(name)]
    return found


def is_there(name: str) -> bool:
    """Whether a dotted name is a module of the package or bound by one, or of another package."""
    module, _, last = name.rpartition(".")
    ours = name.partition(".")[0] == "ovdistill"
    return not ours or source_of(name) is not None or last in names_of(module)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_all_that_a_script_imports_is_there(path: Path) -> None:
    assert not missing(path.read_text())


def test_what_is_not_there_is_found() -> None:
    text = "import ovdistill.none, os\nfrom ovdistill import Detector, store\n"
    text += "def f():\n    from ovdistill.inference.judged import judge_detections, match\n"
    text += "from ovdistill.core.none import x\nfrom ovdistill.store import TeacherStore\n"
    expected = ["ovdistill.none", "ovdistill.core.none.x", "ovdistill.inference.judged.match"]
    assert sorted(missing(text)) == sorted(expected)
