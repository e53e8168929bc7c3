"""Write a config that is ready to train on an annotation file in COCO's format.

    ovdistill init-dataset my.json --novel "zebra, tent"
    ovdistill init-dataset train.json --val val.json --images images --base-config vild_r50_lvis

The data are checked, and the commands that come next are printed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from ovdistill.commands.checks import check_file, check_positive
from ovdistill.commands.options import CommonOptions, argument, complete_recipe, flag, option
from ovdistill.core.errors import UserError
from ovdistill.core.recipes import find_recipe
from ovdistill.core.text import printable

if TYPE_CHECKING:
    from mmengine.config import Config

    from ovdistill.commands.dataset_config import DatasetConfig
    from ovdistill.datasets.survey import Survey


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
    images: Path | None = option(
        None,
        help="folder that the file names are relative to (default: searched for)",
        metavar="DIR",
    )
    val: Path | None = option(
        None, metavar="ANN.json", help="annotations to evaluate on, in the same format"
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
    epochs: int = option(36, help="how often each image is seen", least=1)
    batch_size: int | None = option(
        None, help="images a step (default: the recipe's on one GPU)", least=1
    )
    allow_outside_images: bool = flag(
        help="take file names that are absolute or lead out of the image folder"
    )
    force: bool = flag(help="replace a file that is there")


def init_dataset(options: InitDatasetOptions) -> None:
    """Check the data and write the config.

    Raises:
        UserError: a config that is there already, or data that cannot be trained on.
    """
    check_choices(options)
    from ovdistill.core.files import write_text
    from ovdistill.datasets.survey import survey

    name = re.sub(r"\W+", "_", options.name or options.annotations.stem)
    path = options.out or Path("configs", f"{name}.py")
    if path.exists() and not options.force:
        raise UserError(f"{path} is there already: --force replaces it, -o names another file.")
    outside = options.allow_outside_images
    train = survey(options.annotations, options.images, allow_outside_images=outside)
    val = None
    if options.val:
        folder = options.val_images or options.images
        val = survey(options.val, folder, allow_outside_images=outside)
    if val and (lost := [name for name in train.names if name not in val.names]):
        raise UserError(
            f"{len(lost)} categories of {train.path} are not in {val.path} (the first: "
            f"{lost[0]!r}); expected the same categories in both."
        )
    own = plan(options, name, path, train, val)
    write_text(path, own.text())
    print(printable(summary(own), keep="\n"))


def check_choices(options: InitDatasetOptions) -> None:
    """Raise UserError for missing files, impossible values and options that exclude each other."""
    check_positive(options, "epochs", "batch_size")
    if options.novel is not None and options.novel_file is not None:
        raise UserError("got --novel and --novel-file: give one of them.")
    check_file(options.annotations, "annotations")
    check_file(options.val, "--val")
    check_file(options.novel_file, "--novel-file")
    if options.base_config:
        find_recipe(options.base_config)


def plan(
    options: InitDatasetOptions, name: str, path: Path, train: Survey, val: Survey | None
) -> DatasetConfig:
    """Return the config to write.

    Args:
        options: of the command.
        name: of the data set.
        path: the file to write.
        train: the training set.
        val: the set to evaluate on, or None.

    Raises:
        UserError: a recipe that does not suit the data, or see ``novel_names``.
    """
    from ovdistill.commands.dataset_config import DatasetConfig
    from ovdistill.commands.dataset_schedule import schedule
    from ovdistill.models.config import load_config

    base = find_recipe(options.base_config or f"vild_r50_{'lvis' if train.lvis else 'coco'}")
    recipe = load_config(base)
    if recipe.train_dataloader.dataset.type != "OVDataset":
        raise UserError(
            f"{base.name} wraps its data set ({recipe.train_dataloader.dataset.type}): take the "
            "recipe that it is made from, and wrap the data set in the file that is written."
        )
    network = proposal_network(base, recipe, train)
    first = schedule(load_config(network), train.images, options.epochs) if network else None
    return DatasetConfig(
        name=name,
        path=path,
        base=base,
        regions=Path(recipe.get("regions", "regions")).name,
        network=network,
        train=train,
        val=val,
        novel=novel_names(train, options.novel, options.novel_file),
        epochs=options.epochs,
        main=schedule(recipe, train.images, options.epochs, options.batch_size),
        first=first,
        allow_outside_images=options.allow_outside_images,
    )


def proposal_network(base: Path, recipe: Config, train: Survey) -> Path | None:
    """Return the config of a recipe's proposal network, None for a recipe without one.

    Args:
        base: file of the recipe.
        recipe: its content.
        train: the training set.

    Raises:
        UserError: the network learns from masks, which the training set does not have.
    """
    from ovdistill.models.config import load_config

    if not recipe.prepare.get("proposals"):
        return None
    network = base.parent / recipe.prepare.proposals.network
    if not train.with_masks and _learns_masks(load_config(network)):
        raise UserError(
            f"{network.name}, the proposal network of {base.name}, learns from masks; "
            f"{train.annotations - train.masks} of the {train.annotations} annotations of "
            f"{train.path} have none. Take a --base-config with an RPN, as vild_r50_coco has."
        )
    return network


def novel_names(train: Survey, given: str | None, file: Path | None) -> tuple[str, ...]:
    """Return the names of the novel classes as the annotation file spells them.

    Args:
        train: the training set.
        given: "a, b, c", or None.
        file: a file of names, or None; without both, no class is novel.

    Raises:
        UserError: a name that is no category, or no class left that is base.
    """
    from ovdistill.core.class_names import clean_name
    from ovdistill.datasets.category_names import read_names

    source = file or given
    if source is None:
        return ()
    spelled = {clean_name(name): name for name in train.names}
    wanted = [clean_name(name) for name in read_names(source).names]
    for name in wanted:
        if name not in spelled:
            near = get_close_matches(name, spelled, cutoff=0.5)
            hint = f"did you mean {', '.join(spelled[other] for other in near)}?"
            raise UserError(
                f"novel name {name!r} is no category of {train.path}; "
                f"{hint if near else 'it has ' + ', '.join(train.names[:10]) + ' ...'} "
                "(A class without boxes need not be named: `ovdistill predict --text` finds it.)"
            )
    if len(set(wanted)) == len(spelled):
        raise UserError("every category is novel; expected at least one with boxes to train on")
    return tuple(spelled[name] for name in wanted)


def summary(own: DatasetConfig) -> str:
    """Return lines on what was found and written, and the commands that come next."""
    lines = [f"wrote {own.path} (on {own.base.name})"]
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
    base = [name for name in own.train.names if name not in own.novel]
    lines.append(f"base: {_listed(base)}")
    lines.append(f"novel: {_listed(own.novel)}")
    lines.append(
        f"schedule: {own.main.iterations} iterations of {own.main.batch} images, "
        f"learning rate {own.main.lr:g}"
    )
    if own.val is None:
        lines.append("evaluation: none; --val names a file for it")
    return "\n".join(lines) + f"\nnext:\n{own.commands()}"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return f"{len(names)} ({shown})" if names else "none"


def _learns_masks(network: Config) -> bool:
    return any(step.get("with_mask") for step in network.train_dataloader.dataset.pipeline)
