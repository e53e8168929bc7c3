"""Checks of what a command was given."""

from dataclasses import dataclass

import pytest

from ovdistill.commands.checks import (
    check_file,
    check_folder,
    check_input_stays,
    check_positive,
)
from ovdistill.commands.options import CommonOptions, option
from ovdistill.core.errors import UserError


def test_files(tmp_path):
    (tmp_path / "there").write_text("")
    check_file(tmp_path / "there", "--file")
    check_file(None, "--file")
    for path in (tmp_path / "missing", str(tmp_path)):
        with pytest.raises(UserError, match=f"--file {path}"):
            check_file(path, "--file")


def test_folders(tmp_path):
    check_folder(tmp_path, "STORE")
    with pytest.raises(UserError, match="STORE none"):
        check_folder("none", "STORE")


def test_inputs_in_a_folder_that_is_replaced(tmp_path):
    (tmp_path / "run" / "base").mkdir(parents=True)
    check_input_stays(tmp_path / "other", tmp_path / "run", "input")
    check_input_stays(tmp_path / "run" / "base" / "new", tmp_path / "run", "input")
    check_input_stays(tmp_path / "run", tmp_path / "run" / "none", "input")
    for path in ("run", "run/base", "run/../run/base"):
        with pytest.raises(UserError, match=f"would replace {tmp_path / path}, input"):
            check_input_stays(tmp_path / "run", tmp_path / path, "input")


def test_inputs_in_a_folder_that_is_written_into(tmp_path):
    (tmp_path / "run" / "base").mkdir(parents=True)
    for path in ("run/w.pt", "run/base/config", "run/config"):
        (tmp_path / path).touch()
    (tmp_path / "link").symlink_to(tmp_path / "run" / "config")
    for path in ("run", "run/w.pt", "run/base", "run/base/config"):
        check_input_stays(tmp_path / "run", tmp_path / path, "input", {"config"}.__contains__)
    for path in ("run/config", "link"):
        with pytest.raises(UserError, match=f"would replace {tmp_path / path}, input"):
            check_input_stays(tmp_path / "run", tmp_path / path, "input", {"config"}.__contains__)


def test_numbers():
    @dataclass(frozen=True, kw_only=True)
    class Options(CommonOptions):
        batch_size: int | None = option(None, help="")

    check_positive(Options(), "batch_size")
    check_positive(Options(batch_size=1), "batch_size")
    for value in (0, -1):
        with pytest.raises(UserError, match=f"--batch-size {value}"):
            check_positive(Options(batch_size=value), "batch_size")
