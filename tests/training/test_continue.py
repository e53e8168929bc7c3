"""Further classes for the shipped detector, by the recipe, from preparation to a checkpoint."""

import json

import pytest

from ovdistill.core.checkpoints import read_checkpoint
from ovdistill.ovshapes.generate import make_ovshapes
from ovdistill.store import TeacherStore
from ovdistill.vocabulary import Vocabulary

from ..running import run

pytestmark = pytest.mark.slow  # whole commands


@pytest.fixture(scope="module")
def continued(tmp_path_factory):
    """A folder with a few old and new images, and two iterations from the shipped detector."""
    work = tmp_path_factory.mktemp("continued")
    make_ovshapes(work / "old", train=6, val=1, test=1, workers=1)
    options = ["--cfg-options", f"data_root={work / 'old'}"]
    run("-m", "ovdistill", "prepare", "best_r18_shapes", *options)
    run(
        "-m", "ovdistill", "train", "continue_r18_shapes", "--load-from", "ovshapes",
        "--work-dir", work / "run", *options, f"new_root={work / 'new'}",
        "prepare.data.drawn.val=8", "train_cfg.max_iters=2", "train_cfg.val_begin=9",
        "train_dataloader.batch_size=2", "default_hooks.logger.interval=1",
        "log_processor.window_size=1",
    )  # fmt: skip
    return work


def test_every_loss_takes_part(continued):
    lines = next((continued / "run").glob("*/vis_data/scalars.json")).read_text().splitlines()
    steps = [json.loads(line) for line in lines]
    assert len(steps) == 2
    for step in steps:
        for name in ("loss_cls", "loss_bbox", "loss_vouch_image", "loss_region_queue"):
            assert 0 < step[name] < 20
    # what is trained already is not far from right
    assert steps[0]["loss_cls"] < 1.5
    weights = read_checkpoint(continued / "run" / "last.pth")["state_dict"]
    assert all(value.isfinite().all() for value in weights.values())


def test_new_classes_are_base_and_regions_are_of_the_new_images(continued):
    old = Vocabulary.load(continued / "old/shape/clip-directions/vocabulary.safetensors")
    new = Vocabulary.load(continued / "new/vocabulary.safetensors")
    assert new.names == old.names
    added = [n for n, a, b in zip(new.names, old.is_base, new.is_base, strict=True) if a != b]
    assert added == [n for n in new.names if n.endswith(" arrow")]
    assert len(TeacherStore(continued / "new/regions").known_ids) == 8
