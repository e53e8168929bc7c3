"""`ovdistill test`: which images and which vocabulary a config is tested with."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.logging import MessageHub
from torch.utils.data import DataLoader

from ovdistill.commands import main
from ovdistill.commands.test import test as command  # pytest takes its functions for tests
from ovdistill.commands.test.inputs import _leave_out_stuff
from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.models.config import load_config

from ...batches import make_vocabulary

CONFIG = "vild_r18_shapes"


class Images(list):
    ann_file, data_prefix = "", {}


@pytest.fixture
def checkpoint(tmp_path: Path) -> str:
    (tmp_path / "last.pth").write_bytes(b"")
    return str(tmp_path / "last.pth")


def options_of(checkpoint: str, *words: str):
    return main.parse(["test", CONFIG, checkpoint, *words])[1]


@pytest.mark.parametrize(
    ("words", "subset"), [([], "test"), (["--subset", "val"], "val"), (["--split", "val"], "val")]
)
def test_the_subset(words, subset, checkpoint, tmp_path):
    config = command.testing_config(options_of(checkpoint, *words), tmp_path)
    assert config.test_dataloader.dataset.ann_file == f"annotations/instances_{subset}.json"
    assert config.train_cfg is config.val_dataloader is config.load_from is None
    assert config.sync_bn is None  # mmengine's conversion would lose the activations of timm's
    assert config.work_dir == str(tmp_path)


def test_the_vocabulary(checkpoint, tmp_path):
    path = str(tmp_path / "v.safetensors")
    replace(make_vocabulary(2), teacher=TeacherId("ovshapes-rn+clip-gap")).save(path)
    options = options_of(checkpoint, "--vocabulary", path)
    assert command.testing_config(options, tmp_path).vocabulary == path


def test_bad_input(checkpoint):
    command.check_files(options_of(checkpoint))
    for words in (["--show", "-1"], ["--vocabulary", "none"]):
        with pytest.raises(UserError, match=f"{words[0]} {words[1]}"):
            command.check_files(options_of(checkpoint, *words))
    with pytest.raises(UserError, match=f"none.pth.*ovdistill train {CONFIG}"):
        command.check_files(options_of("none.pth"))


def test_a_detector_without_its_metric_is_refused_before_the_test(checkpoint, tmp_path):
    slip = ["--cfg-options", "test_evaluator.0.type=ProposalRecall", f"data_root={tmp_path}/data"]
    with pytest.raises(UserError, match=f"{CONFIG}.* 0 of type OVMetric"):
        main.run(["test", CONFIG, checkpoint, "-o", str(tmp_path / "out"), *slip])
    assert not (tmp_path / "data").exists()  # nothing was prepared


def test_a_vocabulary_of_ones_own_may_lack_stuff_of_the_recipe(tmp_path):
    """In the recipe's own vocabulary, a name of stuff that is not there is an error."""
    path = tmp_path / "v.safetensors"
    for names, stuff in ((("solid star", "Background"), ["background"]), (("cat",), [])):
        replace(make_vocabulary(len(names), novel=0), names=names).save(path)
        config = load_config("maskword_r18_shapes")
        _leave_out_stuff(config, str(path))
        assert config.model.stuff == stuff


def test_a_segmentor_may_have_only_a_metric_of_the_users_own(checkpoint, tmp_path):
    config = load_config("lseg_r18_shapes")
    hub = MessageHub("own metric")
    hub.update_scalar("test/time", 0.5)
    runner = SimpleNamespace(
        test_evaluator=SimpleNamespace(metrics=[SimpleNamespace(default_prefix="mine")]),
        test_dataloader=DataLoader(Images([0])),
        model=torch.nn.Linear(1, 1),
        message_hub=hub,
        seed=0,
    )
    out = tmp_path / "out"
    command.write_results(options_of(checkpoint), out, config, runner, {"mine/share": 50.0})
    assert json.loads((out / "metrics.json").read_text()) == {"mine/share": 50.0}
