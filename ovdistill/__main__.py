# PYTHON_ARGCOMPLETE_OK
"""The command `python -m ovdistill`, the same as `ovdistill`."""

from typing import NoReturn

from ovdistill.core.errors import run_tool
from ovdistill.core.interrupts import INTERRUPTS


def main(*words: str) -> NoReturn:
    """Run the words given here and those of the command line, and exit.

    Args:
        words: what comes before the words of the command line: "train" in ``tools/train.py``.
    """
    INTERRUPTS.catch()  # before what takes time to import

    def work() -> NoReturn:
        from ovdistill.commands.main import main

        main(*words)

    run_tool(work)


if __name__ == "__main__":
    main()
