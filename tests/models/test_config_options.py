"""Overrides: those of parts are refused or warned of, those of the test pipeline reach loaders."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovdistill.commands.config_overrides import read_overrides
from ovdistill.core.errors import UserError
from ovdistill.evaluation.comparison_rows import ROWS
from ovdistill.models.config import load_config

RECIPE = "vild_r18_shapes"
PARTS = [
    (
        RECIPE,
        "region_word_head.temperature",
        "model.roi_head.bbox_head.cls_predictor_cfg.temperature",
    ),
    (RECIPE, "backbone.depth", "model.backbone.depth"),
    (RECIPE, "norm_cfg.type", "model.backbone.norm_cfg.type"),
    (RECIPE, "train_pipeline.0.type", "train_dataloader.dataset.pipeline.0.type"),
    (RECIPE, "augment.0.prob", "train_dataloader.dataset.pipeline.3.prob"),
    (RECIPE, "data_preprocessor.mean", "model.data_preprocessor.mean"),
    ("vild_star_r50_lvis", "warmup.end", "param_scheduler.0.end"),
    ("vild_star_r50_lvis", "sampler.shuffle", "train_dataloader.sampler.shuffle"),
    ("continue_r18_shapes", "novel_names", "prepare.vocabulary.split"),
]


@pytest.mark.parametrize(("recipe", "key", "place"), PARTS, ids=lambda text: text)
def test_an_override_of_a_part_is_refused_with_the_key_that_counts(recipe, key, place):
    with pytest.raises(UserError) as raised:
        load_config(recipe, {key: 1})
    assert f" {key}=" in str(raised.value) and place in str(raised.value)
    if key != "augment.0.prob":
        load_config(recipe, {place: 1})


@pytest.mark.parametrize(
    ("recipe", "key", "place"),
    [
        ("vild_star_r50_lvis", "backbone.depth", "to change these: model.backbone.depth"),
        ("hierkd_r50_coco", "neck.norm_cfg.type", "to change these: model.neck"),
        (RECIPE, "mask_boxes.share", ""),
    ],
)
def test_where_a_part_was_changed_a_warning_names_a_key_that_is_there(recipe, key, place, caplog):
    load_config(recipe, {key: 1})
    (message,) = [record.getMessage() for record in caplog.records]
    assert key in message and message.endswith(place or "as they are")


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("dict(patience=3)", "own.patience", 5),
        ("dict(every=10, patience=3)", "own.patience", 5),
        ("dict(enabled=True)", "own.enabled", False),
        ("dict()", "own.a", 1),
        ("[2]", "own", [3]),
        ("2", "own", 3),
        ("True", "own", False),
        ("'AdamW'", "own", "SGD"),
    ],
)
def test_a_setting_of_ones_own_is_taken_with_a_warning(part, key, value, tmp_path, caplog):
    path = tmp_path / "own.py"
    path.write_text(
        f"own = {part}\n"
        "custom_hooks = [dict(type='Hook', patience=3, enabled=True, a=2, b=[2], c={}, d=[[2]])]\n"
        "optim_wrapper = dict(optimizer=dict(type='AdamW'))\n"
    )
    config = load_config(path, {key: value})
    first, _, rest = key.partition(".")
    assert (config[first][rest] if rest else config[first]) == value
    assert f"built of own while {path}" in caplog.text


def test_what_is_read_or_put_into_texts_can_be_overridden(tmp_path: Path, caplog):
    path = tmp_path / "own.py"
    path.write_text(
        'model = dict(a="{file}")\nfile = None\nregions = "a"\ndata_preprocessor = dict(a=1, b=2)\n'
    )
    options = {"file": "x", "regions": "b", "data_preprocessor.a": 0, "randomness.seed": 1}
    config = load_config(path, options)
    assert (config.model.a, config.regions, config.randomness.seed) == ("x", "b", 1)
    assert config.data_preprocessor.a == 0 and not caplog.text


def test_the_test_pipeline_of_predict_is_that_of_a_test_too():
    key, scale = "test_pipeline.1.scale", (64, 64)
    config = load_config(RECIPE, {key: scale})
    loaders = config.val_dataloader, config.test_dataloader
    assert config.test_pipeline[1].scale == scale
    assert [loader.dataset.pipeline[1].scale for loader in loaders] == [scale] * 2
    assert load_config(RECIPE, {"test_pipeline": []}).test_dataloader.dataset.pipeline == []
    # what is said of a loader itself goes before
    other = {"test_dataloader.dataset.pipeline.1.scale": (32, 32), key: scale}
    config = load_config(RECIPE, other)
    assert config.test_dataloader.dataset.pipeline[1].scale == (32, 32)
    assert config.val_dataloader.dataset.pipeline[1].scale == scale


def test_the_test_pipeline_counts_beside_an_override_of_a_whole_loader():
    key, scale = "test_pipeline.1.scale", (64, 64)
    whole = {"test_dataloader.dataset": dict(ann_file="x"), "val_dataloader": dict(batch_size=7)}
    for options in ({key: scale, **whole}, {**whole, key: scale}):
        config = load_config(RECIPE, options)
        assert config.test_dataloader.dataset.pipeline[1].scale == scale
        assert config.val_dataloader.dataset.pipeline[1].scale == scale
        assert config.test_dataloader.dataset.ann_file == "x"
        assert config.val_dataloader.batch_size == 7
    own = {"test_dataloader": dict(dataset=dict(pipeline=[])), key: scale}
    assert load_config(RECIPE, own).test_dataloader.dataset.pipeline == []


def test_a_loader_with_a_pipeline_of_its_own_keeps_it_with_a_warning(caplog):
    name, plain = "maskword_r18_shapes", load_config("maskword_r18_shapes")
    config = load_config(name, {"test_pipeline.1.scale": (64, 64)})
    assert config.test_dataloader == plain.test_dataloader
    assert "test_dataloader" in caplog.text


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_overrides_of_a_comparison_are_none_of_parts(row):
    load_config(row.config, read_overrides((*row.options, *row.plain)))
