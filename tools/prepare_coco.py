"""Checks the annotations of COCO 2017 and writes those of OV-COCO, 48 base and 17 novel classes.

    python tools/prepare_coco.py DATA_ROOT

writes to DATA_ROOT/annotations
  instances_train2017_base.json   all images, annotations of the 48 base classes
  instances_val2017_ov.json       all images, annotations of the 65 classes
  captions_train2017_ov.json      captions of the training images
The first two list the 65 classes under their original ids. No config needs them
(docs/datasets.md). A file that was made from the same input is left as it is.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ovdistill.datasets.files.coco import prepare_coco
from ovdistill.datasets.files.report import show
from ovdistill.errors import run_tool

FILES = {"train": "instances_train", "val": "instances_val", "captions": "captions_train"}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data_root", type=Path)
    for name, part in FILES.items():
        parser.add_argument(
            f"--{name}",
            metavar="F",
            default=f"annotations/{part}2017.json",
            help="below DATA_ROOT; %(default)s by default",
        )
    parser.add_argument("--no-captions", action="store_true", help="leave the captions out")
    parser.add_argument(
        "-o", "--out", metavar="DIR", type=Path, help="folder; DATA_ROOT/annotations by default"
    )
    parser.add_argument("--force", action="store_true", help="write again what is there")
    args = parser.parse_args()
    root = args.data_root
    captions = None if args.no_captions else root / args.captions
    folder = args.out or root / "annotations"
    show(prepare_coco(root / args.train, root / args.val, captions, folder, args.force))


if __name__ == "__main__":
    run_tool(main)
