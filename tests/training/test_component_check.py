"""Slips in the components of a config are found before anything is made of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from mmdet.registry import MODELS

from ovdistill.core.errors import UserError
from ovdistill.core.recipes import recipe_names
from ovdistill.models.config import load_config
from ovdistill.training.component_check import check_components


@MODELS.register_module()
class OwnDetector:
    def __init__(self, curve: dict) -> None: ...


@pytest.mark.parametrize("name", recipe_names())
def test_shipped_recipes_have_none(name: str) -> None:
    check_components(load_config(name))


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("model.backbone.type", "ResNett", r"model\.backbone: got type='ResNett'.*did you mean"),
        ("model.backbone.dephth", 18, r"model\.backbone: got dephth=.*did you mean depth\?"),
        ("model.distillers.0.loss_wieght", 1, r"distillers\.0: got loss_wieght=.*loss_weight"),
        ("default_hooks.logger.intervall", 1, r"default_hooks\.logger: .*interval"),
        ("default_hooks.checkpoint.type", "Checkpoint", r"checkpoint: got type='Checkpoint'"),
        ("custom_hooks", [dict(type="EMAHok")], r"custom_hooks\.0: .*did you mean EMAHook"),
        ("train_dataloader.sampler.shufle", 1, r"sampler: got shufle=.*shuffle"),
        ("train_dataloader.dataset.ann_fil", "a", r"dataset: got ann_fil=.*ann_file"),
        ("train_dataloader.dataset.pipeline.1.with_bx", 1, r"pipeline\.1: .*with_bbox"),
        ("test_evaluator.0.protocl", "lvis", r"test_evaluator\.0: .*protocol"),
        ("optim_wrapper.optimizer.type", "Adamm", r"optimizer: .*Adam"),
        ("param_scheduler.0.type", "LinaerLR", r"param_scheduler\.0: .*LinearLR"),
    ],
)
def test_slips(key: str, value: object, named: str) -> None:
    config = load_config("vild_r18_shapes", {key: value})
    with pytest.raises(UserError, match=rf"^[^\n]*vild_r18_shapes\.py, [^\n]*{named}[^\n]*$"):
        check_components(config)


def test_all_slips_are_one_error() -> None:
    options = {"model.backbone.type": "ResNett", "default_hooks.logger.type": "LogHook"}
    with pytest.raises(UserError, match=r"(?s)ResNett.*\n.*LogHook"):
        check_components(load_config("vild_r18_shapes", options))


@pytest.mark.parametrize(
    "source",
    [
        "model = dict(type='OwnDetector', curve=dict(type='spline'))",
        "model = dict(type='otherpackage.Detector')",
        "custom_hooks = [dict(type='EMAHook', priority=49)]",
        "mine = dict(type='of no interest')",
        "model = dict(type='RPN', test_cfg=dict(rpn=dict(nms=dict(type='soft_nms'))))",
    ],
)
def test_what_is_not_known_to_be_wrong_is_left_to_its_maker(source: str, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(source)
    check_components(load_config(tmp_path / "own.py"))
