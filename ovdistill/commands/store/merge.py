"""Join stores of different images, made in the same way, into one.

    ovdistill store merge STORE STORE ... -o STORE

The stores that are joined are left as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ovdistill.commands.checks import check_folder
from ovdistill.commands.options import CommonOptions, argument, option


@dataclass(frozen=True, kw_only=True)
class MergeOptions(CommonOptions):
    """Options of ``ovdistill store merge``."""

    stores: tuple[Path, ...] = argument("folders of stores", metavar="STORE")
    out: Path = option(flags=["-o"], help="the new store", metavar="STORE", writes="folder")


def merge(options: MergeOptions) -> None:
    """Write the new store.

    Raises:
        UserError: stores that share an image, were made in different ways or are damaged, or a
            folder that holds something else.
    """
    for store in options.stores:
        check_folder(store, "STORE")
    from ovdistill.store import maintenance

    meta = maintenance.merge(options.stores, options.out)
    print(f"wrote {options.out}: {meta.summary}")
