"""The commands of a comparison: the error that is shown is that of the last attempt."""

import sys

from ovdistill.commands.compare.runner import CommandRunner


def test_the_error_of_an_earlier_attempt_is_not_that_of_this_one(tmp_path):
    log, commands = tmp_path / "log.txt", CommandRunner(jobs=1)
    code = "print('\u00e9\\nerror: a slip\\nand more'); raise SystemExit(2)"
    failure, memory = commands.run([sys.executable, "-c", code], log)
    assert failure is not None and failure.endswith("log.txt: a slip\nand more") and memory > 1
    killed = "import os; print('as ever', flush=True); os.kill(os.getpid(), 9)"
    failure, _ = commands.run([sys.executable, "-c", killed], log)
    assert failure is not None and failure.startswith("exit code -9") and "slip" not in failure
    assert commands.run([sys.executable, "-c", ""], log)[0] is None


def test_an_early_end_begins_no_further_command(tmp_path):
    commands = CommandRunner(jobs=1)
    try:
        with commands.pool():
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert commands.run([sys.executable, "-c", ""], tmp_path / "log.txt") == ("stopped", 0.0)
    assert not (tmp_path / "log.txt").exists()
