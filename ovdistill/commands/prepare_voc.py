"""Write the annotations of PASCAL VOC as one file in COCO's format.

    ovdistill prepare-voc data/voc/VOCdevkit/VOC2007 -o data/voc/annotations/voc2007_test.json

Objects that VOC marks as difficult become crowds, which are not counted in an evaluation.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ovdistill.commands.checks import check_free
from ovdistill.commands.options import CommonOptions, argument, flag, option


@dataclass(frozen=True, kw_only=True)
class PrepareVocOptions(CommonOptions):
    """Options of ``ovdistill prepare-voc``."""

    root: Path = argument("folder of a year, such as VOCdevkit/VOC2007")
    image_set: str = option("test", help="name of a list in ImageSets/Main", metavar="NAME")
    out: Path = option(flags=["-o"], help="file to write", metavar="FILE", writes="file")
    force: bool = flag(help="replace a file that is there")


def prepare_voc(options: PrepareVocOptions) -> None:
    """Convert one list of images.

    Raises:
        UserError: the file is there already, no such list, or a missing or damaged annotation.
    """
    check_free(options.out, force=options.force)
    from ovdistill.core.files import write_json
    from ovdistill.datasets.official.voc import read_voc

    content = read_voc(options.root, options.image_set)
    write_json(options.out, content)
    print(
        f"wrote {options.out} ({len(content['images'])} images, "
        f"{len(content['annotations'])} objects)"
    )
