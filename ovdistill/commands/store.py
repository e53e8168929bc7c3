"""Check, describe and join stores of region embeddings.

ovdistill store info STORE
ovdistill store verify STORE
ovdistill store merge STORE STORE ... -o STORE
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ovdistill.commands.options import CommonOptions, argument, flag, option


@dataclass(frozen=True, kw_only=True)
class InfoOptions(CommonOptions):
    """Options of ``ovdistill store info``."""

    store: Path = argument("folder of the store")
    json: bool = flag(help="for programs")


@dataclass(frozen=True, kw_only=True)
class VerifyOptions(CommonOptions):
    """Options of ``ovdistill store verify``."""

    store: Path = argument("folder of the store")


@dataclass(frozen=True, kw_only=True)
class MergeOptions(CommonOptions):
    """Options of ``ovdistill store merge``."""

    stores: tuple[Path, ...] = argument("folders of stores", metavar="STORE")
    out: Path = option(flags=["-o"], help="the new store", metavar="STORE")


def info(options: InfoOptions) -> None:
    """Print what a store is, and what is there of it."""
    from ovdistill.store.maintenance import describe

    found = describe(options.store)
    if options.json:
        print(json.dumps(found, indent=2))
        return
    width = max(map(len, found))
    for key, value in found.items():
        print(f"{key:{width}}  {value}")


def verify(options: VerifyOptions) -> None:
    """Read everything of a store and compare the checksums."""
    from ovdistill.store import maintenance

    meta = maintenance.verify(options.store)
    print(f"{options.store}: {meta.shards} shards, {meta.images} images, all as written")


def merge(options: MergeOptions) -> None:
    """Join stores of different images."""
    from ovdistill.store import maintenance

    meta = maintenance.merge(options.stores, options.out)
    print(f"wrote {options.out}: {meta.counts}")
