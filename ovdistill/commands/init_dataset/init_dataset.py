r"""Write a config that is ready to train on an annotation file in COCO's format.

    ovdistill init-dataset my.json --novel "zebra, tent"
    ovdistill init-dataset train.json --val val.json --images images --base-config vild_r50_lvis
    ovdistill init-dataset train.json --backbone resnet18 --image-size 320 --iterations 2000 \
        --base-config vild_mobilenetv4_coco

The data are checked, and the commands that come next are printed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ovdistill.commands.checks import check_file, check_free
from ovdistill.commands.init_dataset.options import InitDatasetOptions
from ovdistill.commands.init_dataset.pipelines import parse_image_size
from ovdistill.core.errors import UserError
from ovdistill.core.recipes import find_recipe
from ovdistill.core.text import printable

if TYPE_CHECKING:
    from ovdistill.commands.init_dataset.config import DatasetConfig


def init_dataset(options: InitDatasetOptions) -> None:
    """Check the data and write the config.

    Raises:
        UserError: a config that is there already, or data that cannot be trained on.
    """
    check_choices(options)
    from ovdistill.commands.init_dataset.plan import plan
    from ovdistill.core.files import write_json, write_text
    from ovdistill.datasets.survey import survey

    name = re.sub(r"\W+", "_", options.name or options.annotations.stem)
    path = options.out or Path("configs", f"{name}.py")
    if path.suffix != ".py":
        raise UserError(f"got -o {path}; expected a file that ends in .py, which a config is")
    check_free(path, force=options.force)
    outside = options.allow_outside_images
    train = survey(options.annotations, options.images, allow_outside_images=outside)
    val = None
    if options.val:
        val = survey(
            *(options.val, options.val_images),
            likely=options.images,
            option="--val-images",
            allow_outside_images=outside,
        )
    own = plan(options, name, path, train, val)
    text = own.text()
    if (names := own.names_file()) is not None:
        check_free(own.names_path, force=options.force)
        write_json(own.names_path, names)
    write_text(path, text)
    print(printable(summary(own), keep="\n"))


def check_choices(options: InitDatasetOptions) -> None:
    """Raise UserError for missing files, impossible values and options that exclude each other."""
    for one, other in (("novel", "novel_file"), ("epochs", "iterations")):
        if getattr(options, one) is not None and getattr(options, other) is not None:
            raise UserError(f"got --{one} and --{other.replace('_', '-')}: give one of them.")
    check_file(options.annotations, "annotations")
    check_file(options.val, "--val")
    check_file(options.novel_file, "--novel-file")
    check_file(options.names, "--names")
    if options.image_size:
        parse_image_size(options.image_size)
    if options.base_config:
        find_recipe(options.base_config)


def summary(own: DatasetConfig) -> str:
    """Return lines on what was found and written, and the commands that come next."""
    lines = [f"wrote {own.path} (on {own.base.name})"]
    if own.names_file() is not None:
        lines.append(f"wrote {own.names_path} (the class names)")
    for part, data in (("train", own.train), ("val", own.val)):
        if data is not None:
            lines.append(
                f"{part}: {data.images} images in {data.image_folder}, {data.annotations} "
                f"annotations, {data.empty} images without any"
            )
            if missing := data.annotations - data.masks:
                what = "they are ignored" if data.with_masks else "boxes only"
                lines.append(f"  {missing} annotations have no mask: {what}")
            if data.damaged:
                lines.append(
                    f"  {len(data.damaged)} images cannot be read (the first: {data.damaged[0]})"
                )
            lines += [f"  {line}" for line in data.report.lines()]
    lines.append(f"base: {_listed(own.classes.base)}")
    lines.append(f"novel: {_listed(own.classes.novel)}")
    if own.classes.dropped:
        lines.append(f"left out: {_listed(own.classes.dropped)}")
    lines.append(
        f"schedule: {own.main.iterations} iterations of {own.main.batch} images ({own.epochs:g} "
        f"epochs), learning rate {own.main.lr:g}"
    )
    if own.val is None:
        lines.append("evaluation: none; --val names a file for it")
    return "\n".join(lines) + f"\nnext:\n{own.commands()}"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return f"{len(names)} ({shown})" if names else "none"
