"""Draws OVShapes, the embedded benchmark, on disk (about half a minute on two cores).

python tools/make_shapes.py --root data/ovshapes
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ovdistill.errors import run_tool


def parse_args() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--root", default="data/ovshapes", help="folder to write")
    parser.add_argument("--seed", type=int, default=0, help="decides every picture")
    parser.add_argument("--train", type=int, default=2400, help="train pictures")
    parser.add_argument("--val", type=int, default=400, help="val pictures")
    parser.add_argument("--test", type=int, default=800, help="test pictures")
    parser.add_argument("--size", type=int, default=128, help="side of the pictures in pixels")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--force", action="store_true", help="draw again, replacing what is there")
    parser.add_argument("--preview", metavar="PNG", help="write only a contact sheet, and stop")
    return parser.parse_args()


def main() -> None:
    """Draws the data set, or its contact sheet."""
    args = parse_args()
    from ovdistill.shapes.generate import make_shapes  # here: spawned workers import this file
    from ovdistill.shapes.preview import write_contact_sheet

    if args.preview:
        write_contact_sheet(Path(args.preview), args.seed)
        print(f"wrote {args.preview}")
        return
    root = make_shapes(
        args.root, args.seed, args.train, args.val, args.test, args.size, args.workers, args.force
    )
    print(f"OVShapes is ready in {root}")


if __name__ == "__main__":
    run_tool(main)
