"""Check the annotations of COCO 2017 and write those of OV-COCO, 48 base and 17 novel classes.

    ovdistill prepare-coco DATA_ROOT

writes to DATA_ROOT/annotations
  instances_train2017_base.json   all images, annotations of the 48 base classes
  instances_val2017_ov.json       all images, annotations of the 65 classes
  captions_train2017_ov.json      captions of the training images
The first two list the 65 classes under their original ids. No config needs them
(docs/datasets.md). A file that was made from the same input is left as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ovdistill.commands.options import CommonOptions, argument, flag, option

BELOW = "below DATA_ROOT (default: %(default)s)"


@dataclass(frozen=True, kw_only=True)
class PrepareCocoOptions(CommonOptions):
    """Options of ``ovdistill prepare-coco``."""

    data_root: Path = argument("folder of the data set")
    train: str = option("annotations/instances_train2017.json", metavar="F", help=BELOW)
    val: str = option("annotations/instances_val2017.json", metavar="F", help=BELOW)
    captions: str = option("annotations/captions_train2017.json", metavar="F", help=BELOW)
    no_captions: bool = flag(help="leave the captions out")
    out: Path | None = option(
        None, flags=["-o"], metavar="DIR", help="folder; DATA_ROOT/annotations by default"
    )
    force: bool = flag(help="write again what is there")


def prepare_coco(options: PrepareCocoOptions) -> None:
    """Check the files and write those of the split."""
    from ovdistill.datasets.official import coco
    from ovdistill.datasets.official.report import print_rows

    root = options.data_root
    captions = None if options.no_captions else root / options.captions
    folder = options.out or root / "annotations"
    rows = coco.prepare_coco(
        root / options.train, root / options.val, captions, folder, force=options.force
    )
    print_rows(rows)
