"""Checks, describes and joins stores of region embeddings.

ovdistill store info STORE
ovdistill store verify STORE
ovdistill store merge STORE STORE ... -o STORE
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        "ovdistill store",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    info = commands.add_parser("info", help="what a store is, and what is there of it")
    info.add_argument("store", type=Path)
    info.add_argument("--json", action="store_true", help="for programs")
    verify = commands.add_parser("verify", help="read everything, compare the checksums")
    verify.add_argument("store", type=Path)
    merge = commands.add_parser("merge", help="join stores of different pictures")
    merge.add_argument("stores", type=Path, nargs="+", metavar="STORE")
    merge.add_argument("-o", "--out", type=Path, required=True, help="the new store")
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> None:
    """Runs the command; bad input raises UserError."""
    args = parse_args(argv)
    from ovdistill.store import maintain

    if args.command == "info":
        found = maintain.describe(args.store)
        if args.json:
            print(json.dumps(found, indent=2))
            return
        width = max(map(len, found))
        for key, value in found.items():
            print(f"{key:{width}}  {value}")
    elif args.command == "verify":
        meta = maintain.verify(args.store)
        print(f"{args.store}: {meta.shards} shards, {meta.pictures} pictures, all as written")
    else:
        meta = maintain.merge(args.stores, args.out)
        print(f"wrote {args.out}: {meta.counts}")
