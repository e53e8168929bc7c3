"""Checks the annotations of LVIS v1 and writes a training file of its base categories.

    python tools/prepare_lvis.py DATA_ROOT

writes DATA_ROOT/annotations/lvis_v1_train_base.json: all images and categories, no annotation of a
rare category; the image and instance counts of the categories are those of this file. No config
needs it (docs/datasets.md). A file that was made from the same input is left as it is.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ovdistill.datasets.files.lvis import prepare_lvis
from ovdistill.datasets.files.report import show
from ovdistill.errors import run_tool


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data_root", type=Path)
    for name in ("train", "val"):
        parser.add_argument(
            f"--{name}",
            metavar="F",
            default=f"annotations/lvis_v1_{name}.json",
            help="below DATA_ROOT; %(default)s by default",
        )
    parser.add_argument(
        "-o", "--out", metavar="DIR", type=Path, help="folder; DATA_ROOT/annotations by default"
    )
    parser.add_argument("--force", action="store_true", help="write again what is there")
    args = parser.parse_args()
    root = args.data_root
    folder = args.out or root / "annotations"
    show(prepare_lvis(root / args.train, root / args.val, folder, args.force))


if __name__ == "__main__":
    run_tool(main)
