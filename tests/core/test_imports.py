"""What imports what: the lower packages without mm, and none from above."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MM = ("mmcv", "mmdet", "mmengine")

WITHOUT_MM = f"""
import importlib, pkgutil, sys

for name in {MM}:
    sys.modules[name] = None  # importing it raises ImportError

import ovdistill.core, ovdistill.store, ovdistill.teacher, ovdistill.vocabulary

modules = [
    module.name
    for package in (ovdistill.core, ovdistill.store, ovdistill.teacher, ovdistill.vocabulary)
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
]
modules += ["ovdistill.datasets.annotations"]
modules += [f"ovdistill.evaluation.{{name}}" for name in ("evaluate", "results", "submission")]
modules += [
    f"ovdistill.distillation.{{method}}.loss"
    for method in ("hierkd", "region_queue", "region_word", "rkd", "vild", "vouch")
]
for module in modules:
    importlib.import_module(module)
print(*modules)
"""

LOADED = """
import sys
import {module}
print(*{{name.partition(".")[0] for name in sys.modules}})
"""

LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def run(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.split()


def test_lower_packages_import_without_mm() -> None:
    modules = run(WITHOUT_MM)
    assert len(modules) > 40
    assert {"ovdistill.core.images", "ovdistill.store.shard"} <= {*modules}
    assert {"ovdistill.teacher.crops", "ovdistill.distillation.rkd.loss"} <= {*modules}


def test_the_store_loads_neither_mm_nor_an_evaluator() -> None:
    loaded = {*run(LOADED.format(module="ovdistill.store"))}
    assert "torch" in loaded
    assert not loaded & {*MM, "hotcoco", "open_clip", "pycocotools", "matplotlib"}


def test_drawing_loads_no_torch() -> None:
    loaded = {*run(LOADED.format(module="ovdistill.ovshapes.generate"))}
    assert "cv2" in loaded and "torch" not in loaded


def test_what_prepares_and_trains_is_imported_without_printed_advice() -> None:
    assert run("import ovdistill.extraction.prepare") == []


def test_contracts_of_the_packages() -> None:
    pytest.importorskip("importlinter")
    done = subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache"], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert "2 kept, 0 broken" in done.stdout
