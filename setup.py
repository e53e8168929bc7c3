"""Adds the recipes of ``configs/`` to a built package; the metadata is in pyproject.toml."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

CONFIGS = Path(__file__).parent / "configs"


class BuildWithRecipes(build_py):
    """Copies the recipes into the package, where an installed one finds them by name."""

    def run(self) -> None:
        """Build the package, then add the recipes."""
        super().run()
        if not self.editable_mode:  # a checkout's own folder serves
            target = Path(self.build_lib, "ovdistill", "configs")
            shutil.copytree(CONFIGS, target, dirs_exist_ok=True)


setup(cmdclass={"build_py": BuildWithRecipes})
