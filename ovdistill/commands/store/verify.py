"""Read everything in a store of region embeddings and compare the checksums."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ovdistill.commands.checks import check_folder
from ovdistill.commands.options import CommonOptions, argument


@dataclass(frozen=True, kw_only=True)
class VerifyOptions(CommonOptions):
    """Options of ``ovdistill store verify``."""

    store: Path = argument("folder of the store")


def verify(options: VerifyOptions) -> None:
    """Print that the store is complete.

    Raises:
        UserError: it is not; every shard that is missing or damaged is named.
    """
    check_folder(options.store, "STORE")
    from ovdistill.store import maintenance

    meta = maintenance.verify(options.store)
    print(f"{options.store}: {meta.shards} shards, {meta.images} images, all as written")
