"""How the tools report errors: exit code, and no traceback for bad input."""

from __future__ import annotations

import errno
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from torch._utils import ExceptionWrapper

from ovdistill.core.errors import UserError, run_tool
from ovdistill.core.images import ImageError
from ovdistill.store import shard  # noqa: F401  # its errors are subclasses too
from ovdistill.vocabulary import Vocabulary


def fail(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (1, 1)])
def test_exit_code_is_the_return_value(returned: int | None, code: int) -> None:
    with pytest.raises(SystemExit) as stopped:
        run_tool(lambda: returned)
    assert stopped.value.code == code


def test_bad_input_is_one_message_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run_tool(lambda: fail(UserError("no folder 'x'; make it: mkdir x")))
    assert stopped.value.code == 2
    printed = capsys.readouterr()
    assert printed.err == "error: no folder 'x'; make it: mkdir x\n"
    assert printed.out == ""


def test_interrupt_is_not_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run_tool(lambda: fail(KeyboardInterrupt()))
    assert stopped.value.code == 130
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (MemoryError(), "memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you"), "memory"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "aaa"), "aaa: File name too long"),
    ],
)
def test_what_the_machine_refuses_is_one_line(
    error: Exception, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        run_tool(lambda: fail(error))
    assert stopped.value.code == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error: ") and named in printed and printed.count("\n") == 1


@pytest.mark.parametrize("words", [["--help"], ["version"], ["vocab", "show", "{vocabulary}"]])
@pytest.mark.parametrize(
    ("output", "codes"),  # argparse itself ignores that its help is lost
    [("| true", {0, 141}), (">&-", {0}), (">/dev/full", {0, 2}), (">&- 2>&- <&-", {0})],
)
def test_output_that_nobody_takes(
    words: list[str], output: str, codes: set[int], tmp_path: Path
) -> None:
    if output == ">/dev/full" and not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    path = tmp_path / "v.safetensors"
    Vocabulary.from_array(np.eye(2), ["cup", "boat"], "published").save(path)
    command = " ".join([sys.executable, "-m", "ovdistill", *words]).format(vocabulary=path)
    shell = ["bash", "-o", "pipefail", "-c", f"{command} {output}"]
    done = subprocess.run(shell, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.returncode in codes
    if done.returncode == 2:
        assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    else:
        assert done.stderr == ""


def test_a_defect_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        run_tool(lambda: fail(ZeroDivisionError("ours")))


def subclasses(kind: type[UserError]) -> list[type[UserError]]:
    return [kind, *(sub for child in kind.__subclasses__() for sub in subclasses(child))]


@pytest.mark.parametrize("kind", subclasses(UserError), ids=lambda kind: kind.__name__)
def test_an_error_of_a_worker_is_its_message_alone(
    kind: type[UserError], capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        try:
            raise OSError("the cause")
        except OSError as cause:
            raise kind("image a.png: damaged\nsecond line") from cause
    except UserError:
        wrapped = ExceptionWrapper(where="in DataLoader worker process 0")
    with pytest.raises(SystemExit) as stopped:
        run_tool(wrapped.reraise)
    assert stopped.value.code == kind.exit_code
    assert capsys.readouterr().err == "error: image a.png: damaged\nsecond line\n"


def test_an_error_crosses_a_process_as_it_is() -> None:
    error = pickle.loads(pickle.dumps(ImageError("a.png", "it is a folder")))
    assert str(error) == str(ImageError("a.png", "it is a folder"))
    assert error.problem == "it is a folder"


def test_a_message_is_shown_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run_tool(lambda: fail(UserError("no file a\x1b[2J\udce9; make it:\n  b")))
    assert capsys.readouterr().err == "error: no file a\\x1b[2J\\udce9; make it:\n  b\n"
