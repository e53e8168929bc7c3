"""The options of `ovdistill init-dataset`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ovdistill.commands.options import CommonOptions, argument, complete_recipe, flag, option


@dataclass(frozen=True, kw_only=True)
class InitDatasetOptions(CommonOptions):
    """Options of ``ovdistill init-dataset``."""

    annotations: Path = argument("annotations to train on, in COCO's format", metavar="ANN.json")
    novel: str | None = option(
        None, help='novel classes, whose boxes are not trained on: "a, b, c"', metavar="NAMES"
    )
    novel_file: Path | None = option(
        None, help="file with the novel classes, as for vocab build", metavar="FILE"
    )
    names: Path | None = option(
        None, help="file of the classes to take, in this order (default: all)", metavar="FILE"
    )
    drop: str | None = option(
        None, help='classes to leave out: "a, b, c", or a file of names', metavar="NAMES"
    )
    images: Path | None = option(
        None,
        help="folder that the file names are relative to (default: searched for)",
        metavar="DIR",
    )
    val: Path | None = option(
        None,
        metavar="ANN.json",
        help="annotations to evaluate on; classes that only this file has are novel",
    )
    val_images: Path | None = option(
        None, help="folder of the images of --val (default: as --images)", metavar="DIR"
    )
    name: str | None = option(None, help="name of the data set (default: the file's)")
    out: Path | None = option(
        None,
        flags=["-o"],
        help="file to write (default: configs/NAME.py)",
        metavar="FILE",
        writes="file",
    )
    base_config: str | None = option(
        None,
        help="recipe to build on (default: vild_r50_lvis for LVIS's format, else vild_r50_coco)",
        metavar="CONFIG",
        completer=complete_recipe,
    )
    backbone: str | None = option(
        None, help="backbone: a model of timm, or a recipe to take it from", metavar="NAME"
    )
    image_size: str | None = option(
        None,
        help="pixels of the network input: 640, or short and long side as 800x1333",
        metavar="SIZE",
    )
    teacher: str | None = option(
        None,
        help="teacher: MODEL:WEIGHTS of open_clip, a folder, or package.module.Class",
        metavar="NAME",
    )
    epochs: int | None = option(None, help="how often each image is seen (default: 36)", least=1)
    iterations: int | None = option(None, help="training steps, in place of --epochs", least=1)
    batch_size: int | None = option(
        None, help="images a step (default: the recipe's on one GPU)", least=1
    )
    allow_outside_images: bool = flag(
        help="take file names that are absolute or lead out of the image folder"
    )
    force: bool = flag(help="replace a file that is there")
