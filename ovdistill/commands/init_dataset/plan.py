"""From a user's data and options to the config that is to be written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.config import Config

from ovdistill.commands.init_dataset.classes import Classes, choose_classes
from ovdistill.commands.init_dataset.config import DatasetConfig, NetworkChanges
from ovdistill.commands.init_dataset.model import (
    backbone_changes,
    ignoring_changes,
    merged,
    settling_changes,
    teacher_changes,
)
from ovdistill.commands.init_dataset.options import InitDatasetOptions
from ovdistill.commands.init_dataset.pipelines import (
    loads_masks,
    own_evaluators,
    parse_image_size,
    resized,
    without_masks,
)
from ovdistill.commands.init_dataset.schedule import Schedule, schedule
from ovdistill.core.errors import UserError
from ovdistill.core.recipes import find_recipe
from ovdistill.datasets.survey import Survey
from ovdistill.models.config import load_config, read_config

WITHOUT_MASKS = dict(roi_head=dict(mask_roi_extractor=None, mask_head=None))


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
        UserError: a recipe that does not suit the data or the options, or see ``choose_classes``.
    """
    base = find_recipe(options.base_config or f"vild_r50_{'lvis' if train.lvis else 'coco'}")
    recipe = load_config(base)
    if recipe.train_dataloader.dataset.type != "OVDataset":
        raise UserError(
            f"{base.name} wraps its data set ({recipe.train_dataloader.dataset.type}): take the "
            "recipe that it is made from, and wrap the data set in the file that is written."
        )
    classes = choose_classes(
        *(train, val),
        names=options.names,
        drop=options.drop,
        novel=options.novel_file or options.novel,
    )
    network = proposal_network(base, recipe, train)
    length = dict(epochs=options.epochs, iterations=options.iterations)
    main = schedule(recipe, train.images, **length, batch=options.batch_size)
    first = _of_proposals(network, train.images, length, options.batch_size) if network else None
    masks = train.with_masks and (val or train).with_masks
    return DatasetConfig(
        name=name,
        path=path,
        base=base,
        regions=Path(recipe.get("regions", "regions")).name,
        network=network,
        train=train,
        val=val,
        classes=classes,
        main=main,
        first=first,
        evaluators=own_evaluators(
            read_config(base).get("test_evaluator"), lvis=(val or train).lvis, masks=masks
        ),
        changes=changes(options, base, main, masks=masks),
        network_changes=changes(options, network, first) if network and first else NetworkChanges(),
        teacher=teacher_changes(options.teacher, recipe) if options.teacher else {},
        vocabulary=vocabulary_options(recipe, classes),
        allow_outside_images=options.allow_outside_images,
    )


def _of_proposals(
    network: Path, images: int, length: dict[str, int | None], batch: int | None
) -> Schedule:
    """Return the schedule of the network that proposes regions.

    A smaller ``--batch-size`` counts for it too, since memory that is short is so for both.
    """
    recipe = load_config(network)
    own = recipe.train_dataloader.batch_size
    batch = own if batch is None else min(batch, own)
    return schedule(recipe, images, **length, batch=batch)


def proposal_network(base: Path, recipe: Config, train: Survey) -> Path | None:
    """Return the config of a recipe's proposal network, None for a recipe without one.

    Args:
        base: file of the recipe.
        recipe: its content.
        train: the training set.

    Raises:
        UserError: the network learns from masks, which the training set does not have.
    """
    if not recipe.prepare.get("proposals"):
        return None
    name = recipe.prepare.proposals.network
    beside = base.parent / name
    network = beside if beside.is_file() else find_recipe(name)
    if not train.with_masks and loads_masks(load_config(network).train_dataloader.dataset.pipeline):
        raise UserError(
            f"{network.name}, the proposal network of {base.name}, learns from masks; "
            f"{train.annotations - train.masks} of the {train.annotations} annotations of "
            f"{train.path} have none. Take a --base-config with an RPN, as vild_r50_coco has."
        )
    return network


def changes(
    options: InitDatasetOptions, path: Path, length: Schedule, *, masks: bool = True
) -> NetworkChanges:
    """Return what differs from the recipe of a detector or of a proposal network.

    Args:
        options: of the command.
        path: file of the recipe.
        length: schedule of the training.
        masks: False takes out what learns from masks.

    Raises:
        UserError: see ``backbone_changes``.
    """
    raw = read_config(path)  # its placeholders stay
    train, test = raw.train_dataloader.dataset.pipeline, raw.test_pipeline
    size = parse_image_size(options.image_size) if options.image_size else None
    new_train = resized(train, size) if size else train
    if not masks:
        new_train = without_masks(new_train)
    model = load_config(path).to_dict()["model"]
    backbone = backbone_changes(options.backbone, model) if options.backbone else {}
    settling = settling_changes({**model, **backbone}, length)
    boxes_alone = WITHOUT_MASKS if not masks and "roi_head" in model else {}
    return NetworkChanges(
        train_pipeline=new_train if size or not masks else None,
        test_pipeline=resized(test, size) if size else None,
        model=merged(backbone, settling, boxes_alone, ignoring_changes(model)),
    )


def vocabulary_options(recipe: Config, classes: Classes) -> dict[str, Any]:
    """Return what the step that makes the vocabulary does otherwise than in the recipe."""
    step = recipe.get("prepare", {}).get("vocabulary", {})
    found: dict[str, Any] = {}
    if step.get("embeddings"):
        found["embeddings"] = None  # they are of other names
    if step.get("synonyms") and not classes.with_synonyms:
        found["synonyms"] = False  # the files have none
    return found
