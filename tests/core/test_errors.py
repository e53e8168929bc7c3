"""How the tools report errors: exit code, and no traceback for bad input."""

from __future__ import annotations

import pickle

import pytest
from torch._utils import ExceptionWrapper

from ovdistill.core.errors import UserError, run_tool
from ovdistill.core.images import ImageError
from ovdistill.store import shard  # noqa: F401  # its errors are subclasses too


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
