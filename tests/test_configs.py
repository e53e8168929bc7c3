"""Every shipped config parses, fills its placeholders and builds."""

import ast
import re
from pathlib import Path

import pytest
import torch
from mmdet.registry import MODELS

import ovdistill.models.register  # noqa: F401
from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.models.config import load_config
from ovdistill.training.learning_rate import processes_of_rate
from ovdistill.vocabulary import Vocabulary

CONFIGS = Path(__file__).parents[1] / "configs"
MASK_WORD = ("maskword_", "transfer_ade20k")
NAMES = sorted(path.name for path in CONFIGS.glob("*.py"))


def strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [s for item in value.values() for s in strings(item)]
    if isinstance(value, (list, tuple)):
        return [s for item in value for s in strings(item)]
    return []


def test_there_are_configs():
    assert {"vild_r18_shapes.py", "vild_r50_lvis.py"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_config_builds(name):
    part = "detector" if name.startswith(MASK_WORD) else "backbone"
    config = load_config(CONFIGS / name, {f"model.{part}.init_cfg": None})
    assert not [s for s in strings(config.to_dict()) if "{data_root}" in s or "{split}" in s]
    model = config.model
    if "vocabulary" in model:
        names = tuple(f"class {i}" for i in range(4))
        tokens = torch.eye(5, 8)  # "class" and four numbers
        teacher = TeacherId("test")
        model["vocabulary"] = Vocabulary(
            names, torch.eye(4, 8), torch.ones(4) > 0, teacher, token_embeddings=tokens
        )
    built = MODELS.build(model)
    assert sum(p.numel() for p in built.parameters()) > 1e5


@pytest.mark.parametrize("name", NAMES)
def test_config_says_how_to_run_it(name):
    recipe = name.removesuffix(".py")
    docstring = ast.get_docstring(ast.parse((CONFIGS / name).read_text()))
    assert re.search(rf"ovdistill (train|test) {recipe}\b", docstring)


@pytest.mark.parametrize("name", NAMES)
def test_commands_of_a_docstring_have_the_batch_of_the_learning_rate(name):
    docstring = ast.get_docstring(ast.parse((CONFIGS / name).read_text()))
    for line in docstring.splitlines():
        for network in re.findall(r"ovdistill train (\w+)", line):
            count = processes_of_rate(load_config(network))
            assert (
                count == 1
                or "--auto-scale-lr" in line
                or f"--nproc_per_node {min(count, 8)} -m" in line
            )


@pytest.mark.parametrize("benchmark", ["lvis", "coco"])
def test_recipes_that_share_a_file_make_it_alike(benchmark):
    """Else the second one to be prepared would find a file made from other inputs."""
    made: dict[str, object] = {}
    for name in NAMES:
        if not name.endswith(f"r50_{benchmark}.py"):
            continue
        config = load_config(CONFIGS / name)
        steps = config.get("prepare", {})
        found = {config.vocabulary: {k: v for k, v in steps.vocabulary.items() if k != "names"}}
        if "regions" in steps:
            found[steps.regions.path] = (config.teacher.crops, steps.proposals, steps.regions)
        for path, inputs in found.items():
            assert made.setdefault(path, inputs) == inputs, f"{name}: {path}"
    assert len(made) >= 7


@pytest.mark.parametrize("benchmark", ["lvis", "coco"])
def test_detpro_is_vild_star_with_learned_prompts(benchmark):
    config, star = (
        load_config(CONFIGS / f"{name}_r50_{benchmark}.py") for name in ("detpro", "vild_star")
    )
    assert config.prepare.vocabulary.learn_from == f"vild_star_r50_{benchmark}"
    assert config.vocabulary != star.vocabulary
    for key in ("train_cfg", "optim_wrapper", "param_scheduler", "regions", "teacher"):
        assert config[key] == star[key]
    for head in (config.model.roi_head.bbox_head, config.model.roi_head.image_head):
        assert head.cls_predictor_cfg.test_temperature == 0.007
        assert head.num_shared_fcs == 1
    assert config.teacher.crops.shape == "clip" and config.prepare.regions.per_image == 1000
    # 8 GPUs make the batch that the learning rate is for
    assert 8 * config.train_dataloader.batch_size == config.auto_scale_lr.base_batch_size == 16
    assert config.default_hooks.checkpoint.by_epoch and "scales" in str(config.train_dataloader)


def levels(path: Path) -> int:
    """The longest chain of ``_base_`` from a config down, itself counted."""
    bases = re.search(r"^_base_ = \[(.*?)\]", path.read_text(), re.DOTALL | re.MULTILINE)
    names = re.findall(r'"([^"]+)"', bases[1]) if bases else []
    return 1 + max((levels(path.parent / base) for base in names), default=0)


@pytest.mark.parametrize("name", NAMES)
def test_config_has_at_most_four_levels_and_no_slices_by_number(name):
    assert levels(CONFIGS / name) <= 4
    assert not re.search(r"_base_\.\w+(\.\w+)*\[", (CONFIGS / name).read_text())


def test_vouch_has_regions_of_a_network_to_which_unlabelled_objects_are_no_negatives():
    for name in ("vouch_r50_lvis", "ovdistill_r50_lvis", "vouch_r18_shapes"):
        network = load_config(load_config(name).prepare.proposals.network)
        assert network.model.train_cfg.rcnn.assigner.neg_iou_thr == (0.1, 0.5)
        assert network.train_dataloader.dataset.class_agnostic
    # in an image without a box every RoI would be a negative
    assert load_config("proposals_r50_lvis").train_dataloader.dataset.filter_cfg.filter_empty_gt
    # the other recipes keep the published RPN, and regions of their own
    assert load_config("vild_r50_lvis").prepare.proposals.network == "rpn_r50_lvis.py"
    assert load_config("vild_r50_lvis").regions != load_config("vouch_r50_lvis").regions


def test_one_option_moves_everything():
    config = load_config(CONFIGS / "vild_r18_shapes.py", {"data_root": "X", "split": "other"})
    assert config.model.vocabulary == "X/other/clip/vocabulary.safetensors"
    assert config.train_dataloader.dataset.vocabulary == "X/other/clip/vocabulary.safetensors"
    assert config.prepare.proposals.checkpoint == config.load_from == "X/other/proposals.pth"
    assert config.test_evaluator[0].ann_file == "X/annotations/instances_test.json"


def test_missing_config():
    with pytest.raises(UserError, match="no config file"):
        load_config(CONFIGS / "no_such.py")


@pytest.mark.parametrize("options", [{"model.distillers.3.x": 1}, {"data_root.x": 1}])
def test_options_that_do_not_fit(options):
    with pytest.raises(UserError, match=r"--cfg-options .* do not fit .*vild_text_r18_shapes.py"):
        load_config(CONFIGS / "vild_text_r18_shapes.py", options)


def test_an_option_inside_something_that_is_not_there_may_be_a_slip(caplog):
    options = {"prepare.regions.per_image": 4, "model.test_cfg.rcnn.new": True}
    options["teacher.crops.size"] = 192
    load_config(CONFIGS / "vild_text_r18_shapes.py", options)
    assert "prepare.regions.per_image: nothing of that name was in" in caplog.text
    assert "teacher.crops" not in caplog.text  # every teacher takes them
    assert "rcnn.new" not in caplog.text  # new keys are how optional parts are switched on


def test_an_option_of_a_new_name_may_be_a_slip(caplog):
    config = load_config(CONFIGS / "vild_r18_shapes.py", {"trian_cfg.max_iters": 3, "split": "x"})
    assert config.train_cfg.max_iters == 1000
    assert "trian_cfg.max_iters: nothing of that name was in" in caplog.text
    assert "split" not in caplog.text
