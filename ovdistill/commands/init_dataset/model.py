"""Changes of a recipe's model for a user's own data: backbone, ignored objects, short trainings."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ovdistill.core.errors import UserError
from ovdistill.core.recipes import find_recipe, recipe_names

if TYPE_CHECKING:
    from mmengine.config import Config

    from ovdistill.commands.init_dataset.schedule import Schedule

# of mmdet, and ours, by which crowds and objects without a mask are no background
IGNORING = {
    "MaxIoUAssigner": "IgnoringMaxIoUAssigner",
    "ATSSAssigner": "IgnoringATSSAssigner",
}
IGNORED_SHARE = 0.5  # of a prior that lies in an ignored object
DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")  # package.module.Class


def backbone_changes(name: str, model: Mapping[str, Any]) -> dict[str, Any]:
    """Return what changes in a model that gets another backbone: it, its pixels, and the neck.

    Args:
        name: a model of timm, or a recipe whose backbone is taken.
        model: config of the model.

    Raises:
        UserError: neither of the two, a model without a neck, or feature maps that do not fit it.
    """
    from ovdistill.models.neck_channels import AUTO, fit_neck

    if not isinstance(model.get("neck"), Mapping):
        raise UserError("the model of the recipe has no neck; expected one, as FPN, for --backbone")
    own = _of_recipe(name) if name in recipe_names() else _of_timm(name, model)
    changed = dict(model, backbone=own["backbone"], neck=dict(model["neck"], in_channels=AUTO))
    fit_neck(changed)  # raises if the strides are not those of the anchors
    own["backbone"] = dict(_delete_=True, **own["backbone"])
    return dict(own, neck=dict(in_channels=AUTO))


def _of_recipe(name: str) -> dict[str, Any]:
    from ovdistill.models.config import load_config

    other = load_config(find_recipe(name)).to_dict()["model"]
    pixels = other["data_preprocessor"]
    return dict(
        backbone=other["backbone"],
        data_preprocessor=dict(mean=list(pixels["mean"]), std=list(pixels["std"])),
    )


def _of_timm(name: str, model: Mapping[str, Any]) -> dict[str, Any]:
    """Return a backbone of timm with pretrained weights where there are any, its stem frozen."""
    import timm

    from ovdistill.models.timm_network import check_name

    check_name(name)
    pretrained = timm.get_pretrained_cfg(name) or timm.models.PretrainedCfg()
    strides = _strides(model)
    backbone: dict[str, Any] = dict(type="TimmBackbone", model_name=name, strides=strides)
    if timm.is_model_pretrained(name):
        full = f"{name.partition('.')[0]}.{pretrained.tag}" if pretrained.tag else name
        init_cfg = dict(type="Pretrained", checkpoint=f"timm://{full}")
        backbone |= dict(frozen_stride=min(strides[0], 4), norm_eval=True, init_cfg=init_cfg)
    return dict(
        backbone=backbone,
        data_preprocessor=dict(
            mean=[round(255 * value, 3) for value in pretrained.mean],
            std=[round(255 * value, 3) for value in pretrained.std],
        ),
    )


def _strides(model: Mapping[str, Any]) -> list[int]:
    """Return the strides of the feature maps that the neck of a model takes."""
    head = model.get("rpn_head") or model.get("bbox_head") or {}
    anchors = (head.get("anchor_generator") or {}).get("strides")
    if not anchors:
        raise UserError("the model of the recipe has no anchors, whose strides --backbone needs")
    neck = model["neck"]
    first = anchors[0] // 2 ** neck.get("start_level", 0)
    return [first * 2**level for level in range(len(neck["in_channels"]))]


def settling_changes(model: Mapping[str, Any], schedule: Schedule) -> dict[str, Any]:
    """Return what changes in a model so that its running statistics settle in a short training.

    Args:
        model: config of the model.
        schedule: of the training.

    Returns:
        The higher momentum of each ``norm_cfg`` that has one; empty for a long training.
    """
    found: dict[str, Any] = {}
    for key, value in model.items():
        if not isinstance(value, Mapping):
            continue
        if key == "norm_cfg" and "momentum" in value:
            momentum = schedule.momentum(value["momentum"])
            if momentum > value["momentum"]:
                found[key] = dict(momentum=momentum)
        elif inside := settling_changes(value, schedule):
            found[key] = inside
    return found


def ignoring_changes(model: Mapping[str, Any]) -> dict[str, Any]:
    """Return what changes in the assigners of a model, so that ignored objects are no background.

    Published recipes keep mmdet's rule, by which they are.

    Args:
        model: config of the model.
    """
    found: dict[str, Any] = {}
    for key, value in model.items():
        if not isinstance(value, Mapping):
            continue
        if key == "assigner" and value.get("type") in IGNORING:
            found[key] = dict(type=IGNORING[value["type"]], ignore_iof_thr=IGNORED_SHARE)
        elif inside := ignoring_changes(value):
            found[key] = inside
    return found


def teacher_changes(name: str, recipe: Config) -> dict[str, Any]:
    """Return the keys of a config that name another teacher.

    The detector's width follows from the vocabulary that this teacher makes; nothing else has to be
    set. The crops stay those of the recipe.

    Args:
        name: "MODEL:WEIGHTS" of open_clip, a folder, or "package.module.Class" of a teacher of the
            user's own.
        recipe: the recipe.

    Raises:
        UserError: no such teacher, or a class that is not registered.
    """
    from ovdistill.commands.teacher_options import parse_teacher
    from ovdistill.teacher.registry import TEACHERS, teacher_name

    kept = {key: recipe.teacher[key] for key in ("crops",) if key in recipe.get("teacher", {})}
    if DOTTED.fullmatch(name):
        module, _, kind = name.rpartition(".")
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise UserError(
                f"got --teacher {name}; {module} cannot be imported ({error}). Put its folder on "
                "PYTHONPATH"
            ) from error
        if kind not in TEACHERS:
            raise UserError(
                f"got --teacher {name}; {module} registers no teacher {kind}. Expected a class "
                "with @register_teacher (docs/own_teacher.md)"
            )
        imports = [*recipe.custom_imports.imports, module]
        return dict(
            custom_imports=dict(imports=imports, allow_failed_imports=False),
            teacher=dict(_delete_=True, type=kind, **kept),
        )
    arguments: dict[str, Any] = dict(parse_teacher(name))
    if teacher_name(arguments) is None:
        raise UserError(
            f"got --teacher {name}; expected MODEL:WEIGHTS as ViT-B-32-quickgelu:openai, a folder "
            "with a model, or package.module.Class"
        )
    _check_tag(**arguments)
    return dict(teacher=dict(_delete_=True, **arguments, **kept))


def _check_tag(model: str, pretrained: str | None = None, **_: Any) -> None:
    """Raise UserError for weights of an unknown tag, or in a file that is not there."""
    from open_clip import list_pretrained_tags_by_model
    from open_clip.pretrained import get_pretrained_cfg

    from ovdistill.teacher.weights import tag_and_file

    tag, file = tag_and_file(pretrained or "")
    there = file is None or Path(file).is_file()
    if not there or (tag and not get_pretrained_cfg(model, tag)):
        tags = ", ".join(list_pretrained_tags_by_model(model)) or "no known weights of this model"
        raise UserError(
            f"got the teacher {model}:{pretrained}; expected a file, TAG=FILE, or one of: {tags}"
        )


def merged(*changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested changes as one, the later ones before the earlier."""
    result: dict[str, Any] = {}
    for change in changes:
        for key, value in change.items():
            both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
            result[key] = merged(result[key], value) if both else value
    return result
