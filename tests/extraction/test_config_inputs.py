"""What an extraction reads from a config."""

from pathlib import Path

import pytest

from ovdistill.core.errors import UserError
from ovdistill.extraction.config_inputs import (
    network_proposals,
    proposal_network,
    subset_files,
    training_annotations,
    training_dataset,
    training_images,
)
from ovdistill.extraction.prepare import prepare_data_and_vocabulary
from ovdistill.models.config import load_config
from ovdistill.ovshapes.generate import make_ovshapes


@pytest.fixture
def config(tmp_path):
    return load_config("vild_r18_shapes", dict(data_root=str(tmp_path), split="compositional"))


def test_images_of_the_training_set(config, tmp_path):
    make_ovshapes(tmp_path, train=3, val=1, test=1, workers=1)
    prepare_data_and_vocabulary(config)
    files = training_images(config)
    assert [file.image_id for file in files] == [1, 2, 3]
    assert all(Path(file.path).is_file() and file.size == (128, 128) for file in files)
    expected = tmp_path / "annotations" / "instances_train.json"
    assert Path(training_annotations(config)) == expected


def test_of_joined_data_sets_the_first_counts():
    config = load_config("rkd_transfer_r50_lvis")  # in a wrapper that repeats images
    assert training_dataset(config).labelled == "base"


def test_the_network_has_the_data_and_split_of_the_config(config, tmp_path):
    network = proposal_network(config)
    assert Path(network.filename).name == "proposals_r18_shapes.py"
    assert (network.data_root, network.split) == (str(tmp_path), "compositional")


def test_a_network_that_was_not_prepared(config):
    with pytest.raises(UserError, match="no checkpoint"):
        network_proposals(config, "cpu")


def test_files_of_a_subset(config, tmp_path):
    for subset in ("train", "val", "test"):
        annotations, images = subset_files(config, subset)
        assert annotations == tmp_path / "annotations" / f"instances_{subset}.json"
        assert images == tmp_path / "images"
    config.val_dataloader = None
    with pytest.raises(UserError, match="no val images"):
        subset_files(config, "val")
