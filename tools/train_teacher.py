"""Trains the embedded benchmark's small CLIP teacher, or measures one.

Train and replace the shipped weights (about 30 minutes on two CPU cores):
    python tools/train_teacher.py
Accuracy on the objects of a data set's val split (python tools/make_shapes.py draws it):
    python tools/train_teacher.py --evaluate data/ovshapes
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ovdistill.errors import run_tool


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, help="teacher directory (default: the shipped one)")
    parser.add_argument("--steps", type=int, default=2000, help="optimiser steps")
    parser.add_argument("--batch", type=int, default=130, help="crops a step, a multiple of 65")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pool", type=int, default=8000, help="pictures to draw for training")
    parser.add_argument("--workers", type=int, default=2, help="processes that draw them")
    parser.add_argument(
        "--evaluate", type=Path, metavar="ROOT", help="only measure, on this data set's val split"
    )
    args = parser.parse_args()

    from ovdistill.shapes.teacher_training import WEIGHTS_DIR, train_teacher

    out = args.out or WEIGHTS_DIR
    if args.evaluate:
        from ovdistill.shapes.teacher_accuracy import accuracy_table

        print(accuracy_table(out, args.evaluate))
        return
    train_teacher(out, args.steps, args.batch, args.seed, args.pool, args.workers)
    print(f"wrote {out}")


if __name__ == "__main__":
    run_tool(main)
