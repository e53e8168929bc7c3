"""Write a ready config for any annotation file in COCO's format.

ovdistill init-dataset my.json --novel "zebra, tent"
ovdistill init-dataset train.json --val val.json --images images --base-config vild_r50_lvis
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from ovdistill.commands.options import CommonOptions, argument, flag, option
from ovdistill.core.errors import UserError
from ovdistill.core.recipes import find_recipe

if TYPE_CHECKING:
    from mmengine.config import Config

    from ovdistill.commands.dataset_config import DatasetConfig
    from ovdistill.datasets.survey import Survey


@dataclass(frozen=True, kw_only=True)
class InitDatasetOptions(CommonOptions):
    """Options of ``ovdistill init-dataset``."""

    annotations: Path = argument("to train on, in COCO's format", metavar="ANN.json")
    novel: str | None = option(
        None, help='names to find without training on their boxes: "a, b, c"'
    )
    novel_file: Path | None = option(None, help="the same, one name a line")
    images: Path | None = option(None, help="folder that the file names are relative to")
    val: Path | None = option(None, metavar="ANN", help="to evaluate on, in the same format")
    val_images: Path | None = option(None, help="its folder of images (default: as --images)")
    name: str | None = option(None, help="of the data set (default: the file's)")
    out: Path | None = option(
        None, flags=["-o"], help="the file to write (default: configs/NAME.py)"
    )
    base_config: str | None = option(
        None, help="recipe (default: vild_r50_lvis for LVIS's format, vild_r50_coco)"
    )
    epochs: int = option(36, help="how often each image is seen (default: %(default)s)")
    batch_size: int | None = option(None, help="images a step (default: the recipe's on one GPU)")
    force: bool = flag(help="replace the file where there is one")


def init_dataset(options: InitDatasetOptions) -> None:
    """Look the data over and write the config.

    Raises:
        UserError: a file that is there already, or whatever is wrong with the data.
    """
    check_choices(options)
    from ovdistill.core.files import write_text
    from ovdistill.datasets.survey import survey

    name = re.sub(r"\W+", "_", options.name or options.annotations.stem)
    path = options.out or Path("configs", f"{name}.py")
    if path.exists() and not options.force:
        raise UserError(f"{path} is there already: --force replaces it, -o names another file.")
    train = survey(options.annotations, options.images)
    val = survey(options.val, options.val_images or options.images) if options.val else None
    if val and (lost := [name for name in train.names if name not in val.names]):
        raise UserError(
            f"{len(lost)} categories of {train.path} are not in {val.path} (the first: "
            f"{lost[0]!r}); expected the same categories in both."
        )
    own = plan(options, name, path, train, val)
    write_text(path, own.text())
    print(summary(own))


def check_choices(options: InitDatasetOptions) -> None:
    """Raise UserError for what can be seen to be wrong before anything heavy is imported."""
    for name in ("epochs", "batch_size"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise UserError(f"got --{name.replace('_', '-')} {value}; expected 1 or more.")
    if options.base_config:
        find_recipe(options.base_config)


def plan(
    options: InitDatasetOptions, name: str, path: Path, train: Survey, val: Survey | None
) -> DatasetConfig:
    """What to write, from the command's choices and the data.

    Raises:
        UserError: a recipe that is not there or does not suit, or novel names that are not.
    """
    from ovdistill.commands.dataset_config import DatasetConfig, schedule
    from ovdistill.models.config import load_config

    base = find_recipe(options.base_config or f"vild_r50_{'lvis' if train.lvis else 'coco'}")
    recipe = load_config(base)
    if recipe.train_dataloader.dataset.type != "OVDataset":
        raise UserError(
            f"{base.name} wraps its data set ({recipe.train_dataloader.dataset.type}): take the "
            "recipe that it is made from, and wrap the data set in the file that is written."
        )
    network = first = None
    if recipe.prepare.get("proposals"):
        network = base.parent / recipe.prepare.proposals.network
        proposer = load_config(network)
        if not train.with_masks and _learns_masks(proposer):
            raise UserError(
                f"{network.name}, the proposal network of {base.name}, learns from masks; "
                f"{train.annotations - train.masks} of the {train.annotations} annotations of "
                f"{train.path} have none. Take a --base-config with an RPN, as vild_r50_coco has."
            )
        first = schedule(proposer, train.images, options.epochs)
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
    )


def novel_names(train: Survey, given: str | None, file: Path | None) -> tuple[str, ...]:
    """The novel names as the annotation file spells them; none unless asked for.

    Raises:
        UserError: a name that is no category, or none that is base.
    """
    from ovdistill.datasets.category_names import read_names
    from ovdistill.vocabulary import clean_name

    if given is not None and file is not None:
        raise UserError("got --novel and --novel-file: give one of them.")
    if given is None and file is None:
        return ()
    if file is not None and not file.is_file():
        raise UserError(f"got --novel-file {file}; there is no such file.")
    spelled = {clean_name(name): name for name in train.names}
    wanted = [clean_name(name) for name in read_names(file or given).names]
    for name in wanted:
        if name not in spelled:
            near = get_close_matches(name, spelled, cutoff=0.5)
            hint = f"did you mean {', '.join(spelled[word] for word in near)}?"
            raise UserError(
                f"novel name {name!r} is no category of {train.path}; "
                f"{hint if near else 'it has ' + ', '.join(train.names[:10]) + ' ...'} "
                "(A word without boxes needs no list: ask the demo for it.)"
            )
    if len(set(wanted)) == len(spelled):
        raise UserError("every category is novel: training needs boxes of at least one.")
    return tuple(spelled[name] for name in wanted)


def summary(own: DatasetConfig) -> str:
    """What was found and written, and what comes next."""
    lines = [f"wrote {own.path} (on {own.base.name})"]
    for part, data in (("train", own.train), ("val", own.val)):
        if data is not None:
            lines.append(
                f"{part}: {data.images} images in {data.image_folder}, {data.annotations} "
                f"annotations, {data.empty} images without any"
            )
            if not data.with_masks:
                missing = data.annotations - data.masks
                lines.append(f"  {missing} annotations have no mask: boxes only")
    base = [word for word in own.train.names if word not in own.novel]
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
