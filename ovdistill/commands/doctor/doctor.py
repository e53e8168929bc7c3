"""Check the installation; every problem comes with the command that fixes it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ovdistill.commands.doctor import extras, files, hardware, packages
from ovdistill.commands.doctor.finding import NOTE, OK, PROBLEM, Check
from ovdistill.commands.options import CommonOptions, flag, option
from ovdistill.core.errors import UserError
from ovdistill.core.text import printable


@dataclass(frozen=True, kw_only=True)
class DoctorOptions(CommonOptions):
    """Options of ``ovdistill doctor``."""

    data: str | None = option(None, metavar="DIR", help="folder of the data sets (default: data)")
    json: bool = flag(help="print the findings as JSON")


def doctor(options: DoctorOptions) -> int:
    """Check the installation.

    Returns:
        The exit code: 0 when nothing is broken, else 1.

    Raises:
        UserError: ``--data`` names no folder.
    """
    if options.data and not Path(options.data).is_dir():
        raise UserError(f"--data {options.data}: no such folder; make it: mkdir -p {options.data}")
    checks = examine(Path(options.data or "data"))
    healthy = all(check.status != PROBLEM for check in checks)
    if options.json:
        found = {"healthy": healthy, "checks": [asdict(check) for check in checks]}
        print(json.dumps(found, indent=2))
    else:
        print_findings(checks)
    return 0 if healthy else 1


def examine(data: Path) -> list[Check]:
    """Return all findings, in the order in which problems are best fixed.

    Args:
        data: folder of the data sets.
    """
    return [
        packages.check_python(),
        *(packages.check_package(module) for module in packages.PACKAGES),
        hardware.check_operations(),
        hardware.check_devices(),
        extras.check_extras(),
        files.check_shipped_teacher(),
        files.check_cached_teachers(),
        *(files.check_dataset(name, data) for name in files.DATASETS),
    ]


def print_table(checks: Sequence[Check]) -> None:
    """Print the findings as a table.

    Raises:
        ImportError: rich is not installed.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("", "what", "found", title="ovdistill doctor", title_justify="left")
    colours = {OK: "green", NOTE: "yellow", PROBLEM: "bold red"}
    for check in checks:
        status = Text(check.status, style=colours[check.status])
        table.add_row(status, check.name, Text(printable(check.detail), overflow="fold"))
    Console().print(table)


def print_findings(checks: Sequence[Check]) -> None:
    """Print a table, and below it the commands, where they can be copied as a whole."""
    try:
        print_table(checks)
    except ImportError:  # rich is one of the things that may be missing
        for check in checks:
            print(f"{check.status:8} {check.name}: {printable(check.detail)}")
    for status, title in ((PROBLEM, "To fix"), (NOTE, "Optional")):
        todo = [check for check in checks if check.status == status and check.fix]
        if todo:
            print(f"\n{title}:")
            print("\n".join(f"  {check.name}:\n    {printable(check.fix)}" for check in todo))
    if all(check.status != PROBLEM for check in checks):
        print("\nNothing is broken.")
