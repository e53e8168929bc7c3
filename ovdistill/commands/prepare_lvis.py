"""Check the annotations of LVIS v1 and write a training file of its base categories.

    ovdistill prepare-lvis DATA_ROOT

writes DATA_ROOT/annotations/lvis_v1_train_base.json: all images and categories, but no annotation
of a rare category; the image and instance counts of the categories are those of this file. No
shipped config needs it (docs/datasets.md). A file made from the same input is left as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ovdistill.commands.checks import check_folder
from ovdistill.commands.options import CommonOptions, argument, flag, option


@dataclass(frozen=True, kw_only=True)
class PrepareLvisOptions(CommonOptions):
    """Options of ``ovdistill prepare-lvis``."""

    data_root: Path = argument("folder of the data set")
    train: str = option(
        "annotations/lvis_v1_train.json", metavar="FILE", help="path below DATA_ROOT"
    )
    val: str = option("annotations/lvis_v1_val.json", metavar="FILE", help="path below DATA_ROOT")
    out: Path | None = option(
        None,
        flags=["-o"],
        metavar="DIR",
        help="folder to write (default: DATA_ROOT/annotations)",
        writes="folder",
    )
    force: bool = flag(help="replace files that are there")


def prepare_lvis(options: PrepareLvisOptions) -> None:
    """Check both files and write the base annotations of the training file.

    Raises:
        UserError: a missing file, or one that is not the official one.
    """
    check_folder(options.data_root, "DATA_ROOT")
    from ovdistill.datasets.official import lvis
    from ovdistill.datasets.official.report import print_rows

    root = options.data_root
    folder = options.out or root / "annotations"
    rows = lvis.prepare_lvis(root / options.train, root / options.val, folder, force=options.force)
    print_rows(rows)
