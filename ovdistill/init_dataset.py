"""`ovdistill init-dataset`: a ready configuration for any annotation file in COCO's format."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from mmengine.config import Config

import ovdistill
from ovdistill.build import load_config
from ovdistill.datasets.survey import Survey, survey
from ovdistill.errors import UserError
from ovdistill.own_config import OwnConfig, schedule
from ovdistill.vocabulary import clean_name, read_names

CONFIGS = Path(ovdistill.__file__).parents[1] / "configs"


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser("ovdistill init-dataset", description=__doc__)
    add = parser.add_argument
    add("annotations", type=Path, metavar="ANN.json", help="to train on, in COCO's format")
    add("--novel", help='names to find without training on their boxes: "a, b, c"')
    add("--novel-file", type=Path, help="the same, one name a line")
    add("--images", type=Path, help="folder that the file names are relative to")
    add("--val", type=Path, metavar="ANN", help="to evaluate on, in the same format")
    add("--val-images", type=Path, help="its folder of pictures (default: as --images)")
    add("--name", help="of the data set (default: the file's)")
    add("-o", "--out", type=Path, help="the file to write (default: configs/NAME.py)")
    add("--base-config", help="recipe (default: vild_r50_lvis for LVIS's format, vild_r50_coco)")
    add("--epochs", type=int, default=36, help="how often each picture is seen (36)")
    add("--batch-size", type=int, help="pictures a step (default: the recipe's on one GPU)")
    add("--force", action="store_true", help="replace the file where there is one")
    args = parser.parse_args(argv)
    for option in ("epochs", "batch_size"):
        value = getattr(args, option)
        if value is not None and value < 1:
            raise UserError(f"got --{option.replace('_', '-')} {value}; expected 1 or more.")
    return args


def main(argv: Sequence[str]) -> int:
    """Runs `ovdistill init-dataset`.

    Args:
        argv: the words after `ovdistill init-dataset`.

    Raises:
        UserError: a file that is there already, or whatever is wrong with the data.
    """
    args = parse_args(argv)
    name = re.sub(r"\W+", "_", args.name or args.annotations.stem)
    path = args.out or Path("configs", f"{name}.py")
    if path.exists() and not args.force:
        raise UserError(f"{path} is there already: --force replaces it, -o names another file.")
    train = survey(args.annotations, args.images)
    val = survey(args.val, args.val_images or args.images) if args.val else None
    if val and (lost := [word for word in train.names if word not in val.names]):
        raise UserError(
            f"{len(lost)} categories of {train.path} are not in {val.path} (the first: "
            f"{lost[0]!r}); expected the same categories in both."
        )
    own = plan(args, name, path, train, val)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    temporary.write_text(own.text(), encoding="utf-8")
    temporary.replace(path)
    print(summary(own))
    return 0


def plan(
    args: argparse.Namespace, name: str, path: Path, train: Survey, val: Survey | None
) -> OwnConfig:
    """What to write, from the command's choices and the data.

    Raises:
        UserError: a recipe that is not there or does not suit, or novel names that are not.
    """
    base = find_recipe(args.base_config or f"vild_r50_{'lvis' if train.lvis else 'coco'}")
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
        first = schedule(proposer, train.images, args.epochs)
    return OwnConfig(
        name=name,
        path=path,
        base=base,
        regions=Path(recipe.get("regions", "regions")).name,
        network=network,
        train=train,
        val=val,
        novel=novel_names(train, args.novel, args.novel_file),
        epochs=args.epochs,
        main=schedule(recipe, train.images, args.epochs, args.batch_size),
        first=first,
    )


def find_recipe(name: str) -> Path:
    """A configuration by its path, or a shipped one by its name.

    Raises:
        UserError: there is none of that name.
    """
    for path in (Path(name), CONFIGS / f"{name.removesuffix('.py')}.py"):
        if path.is_file():
            return path
    near = get_close_matches(name, [path.stem for path in CONFIGS.glob("*.py")])
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    raise UserError(f"no recipe {name}: expected a file, or a name out of {CONFIGS}{hint}")


def novel_names(train: Survey, given: str | None, file: Path | None) -> tuple[str, ...]:
    """The novel names as the annotation file spells them; none unless asked for.

    Raises:
        UserError: a name that is no category, or none that is base.
    """
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


def summary(own: OwnConfig) -> str:
    """What was found and written, and what comes next."""
    lines = [f"wrote {own.path} (on {own.base.name})"]
    for part, data in (("train", own.train), ("val", own.val)):
        if data is not None:
            lines.append(
                f"{part}: {data.images} pictures in {data.pictures}, {data.annotations} "
                f"annotations, {data.empty} pictures without any"
            )
            if not data.with_masks:
                missing = data.annotations - data.masks
                lines.append(f"  {missing} annotations have no mask: boxes only")
    base = [word for word in own.train.names if word not in own.novel]
    lines.append(f"base: {_listed(base)}")
    lines.append(f"novel: {_listed(own.novel)}")
    lines.append(
        f"schedule: {own.main.iterations} iterations of {own.main.batch} pictures, "
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
