"""How the tools report errors: exit code, and no traceback for bad input."""

from __future__ import annotations

import pytest

from ovdistill.core.errors import UserError, run_tool


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
