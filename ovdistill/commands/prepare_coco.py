"""Check the annotations of COCO 2017 and write those of OV-COCO, 48 base and 17 novel classes.

    ovdistill prepare-coco DATA_ROOT

writes to DATA_ROOT/annotations
  instances_train2017_base.json   all images, annotations of the 48 base classes
  instances_val2017_ov.json       all images, annotations of the 65 classes
  captions_train2017_ov.json      captions of the training images
The first two list the 65 classes with their original ids. No shipped config needs them
(docs/datasets.md). A file made from the same input is left as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ovdistill.commands.checks import check_folder
from ovdistill.commands.options import CommonOptions, argument, flag, option

BELOW = "path below DATA_ROOT"


@dataclass(frozen=True, kw_only=True)
class PrepareCocoOptions(CommonOptions):
    """Options of ``ovdistill prepare-coco``."""

    data_root: Path = argument("folder of the data set")
    train: str = option("annotations/instances_train2017.json", metavar="FILE", help=BELOW)
    val: str = option("annotations/instances_val2017.json", metavar="FILE", help=BELOW)
    captions: str = option("annotations/captions_train2017.json", metavar="FILE", help=BELOW)
    no_captions: bool = flag(help="do not write captions")
    out: Path | None = option(
        None,
        flags=["-o"],
        metavar="DIR",
        help="folder to write (default: DATA_ROOT/annotations)",
        writes="folder",
    )
    force: bool = flag(help="replace files that are there")


def prepare_coco(options: PrepareCocoOptions) -> None:
    """Check the files and write the base and OV-COCO annotations.

    Raises:
        UserError: a missing file, or one that is not the official one.
    """
    check_folder(options.data_root, "DATA_ROOT")
    from ovdistill.datasets.official import coco
    from ovdistill.datasets.official.report import print_rows

    root = options.data_root
    captions = None if options.no_captions else root / options.captions
    folder = options.out or root / "annotations"
    rows = coco.prepare_coco(
        root / options.train, root / options.val, captions, folder, force=options.force
    )
    print_rows(rows)
