"""The proposal network: the one that ships with the package, or one that is trained."""

from pathlib import Path

import pytest
import torch
from mmengine.runner import IterBasedTrainLoop
from safetensors.torch import load_file

from ovdistill.core.assets import ASSETS
from ovdistill.core.errors import UserError
from ovdistill.extraction import prepare as steps
from ovdistill.extraction import prepare_proposals as prepare_proposals_module
from ovdistill.extraction.prepare_proposals import check_one_trains, prepare_proposals
from ovdistill.extraction.proposal_note import read_note
from ovdistill.models.build import build_detector
from ovdistill.models.config import load_config
from ovdistill.ovshapes.generate import make_ovshapes


@pytest.mark.parametrize("split", ["shape", "compositional"])
def test_the_shipped_proposal_network_is_taken(split, tmp_path):
    config = load_config("vild_r18_shapes", dict(data_root=str(tmp_path / "data"), split=split))
    checkpoint = Path(config.prepare.proposals.checkpoint)
    prepare_proposals(config, **config.prepare.proposals)
    names = {path.name for path in checkpoint.parent.iterdir()}
    assert names == {"proposals.pth", "proposals.origin.json"}
    network = build_detector(load_config("proposals_r18_shapes"), checkpoint)
    shipped = load_file(ASSETS / f"proposals_{split}.safetensors")
    assert all(
        torch.equal(shipped[key].float(), v.float()) for key, v in network.state_dict().items()
    )
    # one that is there stays
    before = checkpoint.stat().st_mtime_ns
    prepare_proposals(config, **config.prepare.proposals)
    assert checkpoint.stat().st_mtime_ns == before


def test_one_process_alone_trains_the_network(tmp_path, monkeypatch):
    options = {"prepare.proposals.train": True, "prepare.proposals.published": None}
    config = load_config("vild_r18_shapes", dict(options, data_root=str(tmp_path)))
    check_one_trains(config, 1)
    monkeypatch.setattr(steps, "get_world_size", lambda: 2)
    with pytest.raises(UserError, match=r"2 processes.*proposals.pth yet"):
        steps.prepare(config)
    config.prepare.proposals.published = "proposals_shape"  # it ships, so nobody trains it
    check_one_trains(config, 2)


def test_without_weights_the_command_that_makes_them_is_named(tmp_path):
    config = load_config("vild_r18_shapes", dict(data_root=str(tmp_path)))
    options = dict(config.prepare.proposals, published="none", train=False)
    with pytest.raises(UserError, match=r"ovdistill train .*proposals_r18_shapes.py"):
        prepare_proposals(config, **options)


def test_the_command_has_as_many_processes_as_the_learning_rate_is_for(tmp_path):
    config = load_config("vild_r50_lvis", dict(data_root=str(tmp_path)))
    with pytest.raises(UserError) as raised:
        prepare_proposals(config, **config.prepare.proposals)
    (command,) = [line for line in str(raised.value).splitlines() if line.startswith("  ")]
    assert command.startswith("  torchrun --nproc_per_node 8 -m ovdistill train ")
    assert "rpn_r50_lvis.py --launcher pytorch " in command


@pytest.mark.parametrize(
    ("randomness", "seed"), [(None, 0), (dict(deterministic=True), 0), (dict(seed=4), 4)]
)
def test_the_network_is_trained_with_the_seed_of_the_config(
    to_train, monkeypatch, randomness, seed
):
    to_train.randomness = randomness
    network = begin(to_train, monkeypatch)
    assert network.randomness.seed == seed
    assert network.randomness.deterministic == (seed == 0 and randomness is not None)


@pytest.fixture
def to_train(tmp_path):
    """Return a config whose preparation trains the network for one step, on two images."""
    make_ovshapes(tmp_path, train=2, val=1, test=1, workers=1)
    options = {
        "train_cfg.max_iters": 1,
        "train_cfg.val_interval": 2,
        "default_hooks.checkpoint.interval": 1,
        "train_dataloader.num_workers": 0,
        "train_dataloader.persistent_workers": False,
        "train_dataloader.batch_size": 1,
    }
    config = load_config("vild_r18_shapes", {"data_root": str(tmp_path)})
    config.prepare.proposals.update(published=None, train=True, options=options)
    steps.prepare_vocabulary(config, **config.prepare.vocabulary)
    return config


def begin(config, monkeypatch):
    """Prepare the network with a training that writes a checkpoint and is killed after it."""

    def killed(network, key):
        begun.append(network)
        last = Path(network.work_dir, "iter_7.pth")
        torch.save(dict(meta=dict(seed=network.randomness.seed)), last)
        (last.parent / "last_checkpoint").write_text(str(last))
        raise KeyboardInterrupt

    begun = []
    monkeypatch.setattr(prepare_proposals_module, "run_training", killed)
    with pytest.raises(KeyboardInterrupt):
        prepare_proposals(config, **config.prepare.proposals)
    return begun[0]


def test_a_training_that_was_killed_goes_on(to_train, monkeypatch):
    first = begin(to_train, monkeypatch)
    assert not first.get("resume")
    again = begin(to_train, monkeypatch)
    assert again.resume and again.load_from == str(Path(again.work_dir, "iter_7.pth"))
    assert not Path(to_train.prepare.proposals.checkpoint).exists()


@pytest.mark.parametrize("change", ["seed", "model", "folder of another training"])
def test_a_training_on_other_inputs_begins_anew(to_train, monkeypatch, change):
    folder = Path(begin(to_train, monkeypatch).work_dir)
    (folder / "iter_5.pth").touch()
    if change == "seed":
        to_train.randomness = dict(seed=1)
    elif change == "model":
        to_train.prepare.proposals.options["model.test_cfg.rcnn.max_per_img"] = 3
    else:
        (folder / "origin.json").unlink()
    assert not begin(to_train, monkeypatch).get("resume")
    assert (folder / "iter_5.pth").exists() == (change == "folder of another training")
    assert begin(to_train, monkeypatch).resume  # the new one is known, too


def test_killed_between_training_and_copy_nothing_is_trained_again(to_train, monkeypatch):
    checkpoint = Path(to_train.prepare.proposals.checkpoint)
    with monkeypatch.context() as patch, pytest.raises(TypeError):
        patch.setattr(prepare_proposals_module, "write_note", None)
        prepare_proposals(to_train, **to_train.prepare.proposals)
    trained = (checkpoint.with_suffix("") / "iter_1.pth").read_bytes()
    assert not checkpoint.exists()
    with monkeypatch.context() as patch:
        patch.setattr(IterBasedTrainLoop, "run_iter", None)  # no step can be made
        prepare_proposals(to_train, **to_train.prepare.proposals)
    assert checkpoint.read_bytes() == trained and read_note(checkpoint)["length"] == [1, None]
    checkpoint.unlink()  # whoever does so wants another training
    assert not begin(to_train, monkeypatch).get("resume")


@pytest.mark.parametrize("train", [True, False])
def test_no_checkpoint_is_there_without_its_note(to_train, monkeypatch, train):
    """As where the disk is full, or the process is killed, when the note is to be written."""

    def killed(*arguments):
        raise KeyboardInterrupt

    if not train:
        to_train.prepare.proposals.published = "proposals_shape"
    monkeypatch.setattr(
        prepare_proposals_module,
        "run_training",
        lambda network, key: (
            Path(network.work_dir, "x.pth").touch(),
            Path(network.work_dir, "last_checkpoint").write_text("x.pth"),
        ),
    )
    monkeypatch.setattr(prepare_proposals_module, "write_note", killed)
    with pytest.raises(KeyboardInterrupt):
        prepare_proposals(to_train, **to_train.prepare.proposals)
    assert not Path(to_train.prepare.proposals.checkpoint).exists()
