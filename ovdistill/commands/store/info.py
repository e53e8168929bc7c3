"""Describe a store of region embeddings, and how much of it is there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ovdistill.commands.checks import check_folder
from ovdistill.commands.options import CommonOptions, argument, flag
from ovdistill.core.text import printable


@dataclass(frozen=True, kw_only=True)
class InfoOptions(CommonOptions):
    """Options of ``ovdistill store info``."""

    store: Path = argument("folder of the store")
    json: bool = flag(help="print JSON, for programs")


def info(options: InfoOptions) -> None:
    """Print what the store holds, a line for each fact.

    Raises:
        UserError: no store, or a damaged one.
    """
    check_folder(options.store, "STORE")
    from ovdistill.store.maintenance import describe

    found = describe(options.store)
    if options.json:
        print(json.dumps(found, indent=2))
        return
    width = max(map(len, found))
    for key, value in found.items():
        print(f"{key:{width}}  {printable(str(value))}")
