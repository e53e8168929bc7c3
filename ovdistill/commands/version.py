"""Print the versions of ovdistill and of the libraries that it needs."""

from __future__ import annotations

import platform

from ovdistill.commands.options import CommonOptions
from ovdistill.core.provenance import LIBRARIES, STACK, installed_version
from ovdistill.core.version import VERSION


def version(options: CommonOptions) -> None:
    """Print a line for each library."""
    print(f"ovdistill {VERSION}, Python {platform.python_version()}, {platform.platform()}")
    for names in [*((name,) for name in LIBRARIES), *STACK.values()]:
        print(installed_version(*names) or f"{names[0]} is not installed")
