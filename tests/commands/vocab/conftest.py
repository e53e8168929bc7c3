"""A vocabulary file of the embedded teacher, and a way to run commands on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ovdistill.commands import main

NAMES = "solid star, striped star, dotted ring, outlined heart"


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of ``NAMES``, the last of them novel."""
    path = tmp_path_factory.mktemp("vocab") / "names.safetensors"
    arguments = ["--names", NAMES, "--split", "outlined heart", "--teacher", "ovshapes"]
    main.run(["vocab", "build", *arguments, "-o", str(path)])
    return path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int | None, str]]:
    """A function that runs `ovdistill vocab`; it returns exit code and output."""

    def run_vocab(*words: object) -> tuple[int | None, str]:
        capsys.readouterr()
        code = main.run(["vocab", *map(str, words)])
        return code, capsys.readouterr().out

    return run_vocab
