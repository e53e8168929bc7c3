"""A network that is trained for a detector enlarges small images as far as the detector does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from mmdet.registry import TRANSFORMS
from mmengine.config import Config

import ovdistill.models.register  # noqa: F401
from ovdistill.core.recipes import recipe_names
from ovdistill.extraction.config_inputs import proposal_network
from ovdistill.extraction.network_size import limit_of, needed_limit
from ovdistill.extraction.proposal_note import write_note
from ovdistill.models.config import load_config
from ovdistill.models.image_pipeline import build_image_pipeline

SMALL = {  # ViLD on images of 128 px, with the RPN of COCO trained for it
    "test_pipeline.1.scale": (128, 128),
    "train_dataloader.dataset.pipeline.3": dict(
        type="OVResize", scale=(256, 128), keep_ratio=True, _delete_=True
    ),
    "prepare.proposals.train": True,
}


def config_of(tmp_path: Path, **options: object) -> Config:
    values = {**SMALL, "proposals": str(tmp_path / "rpn.pth"), **options}
    return load_config("vild_r50_coco", values)


def test_training_and_proposing_enlarge_no_further(tmp_path: Path) -> None:
    network = proposal_network(config_of(tmp_path))
    image = dict(img=np.zeros((96, 128, 3), np.uint8), img_id=1)
    seen = build_image_pipeline(network)(dict(image))
    assert seen["inputs"].shape == (3, 128, 171)  # else 800 x 1067
    (resize,) = [
        step
        for step in network.train_dataloader.dataset.pipeline
        if step["type"] in ("OVResize", "RandomResize", "RandomChoiceResize")
    ]
    resized = TRANSFORMS.build(resize)(dict(image, img_shape=(96, 128)))
    assert resized["img"].shape[:2] == (128, 171)


def test_a_network_that_was_trained_elsewhere_sees_its_own_size(tmp_path: Path) -> None:
    (tmp_path / "rpn.pth").write_bytes(b"of someone")
    assert limit_of(proposal_network(config_of(tmp_path))) is None
    assert (
        limit_of(proposal_network(config_of(tmp_path, **{"prepare.proposals.train": False})))
        is None
    )


def test_a_network_keeps_the_size_of_its_training(tmp_path: Path) -> None:
    (tmp_path / "rpn.pth").write_bytes(b"of this config")
    write_note(tmp_path / "rpn.pth", dict(base=["cat"], enlarge_within=[64, 64]))
    assert limit_of(proposal_network(config_of(tmp_path))) == (64, 64)


def test_an_unknown_way_of_resizing_is_no_limit(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    network = proposal_network(load_config("vild_r50_coco"))
    assert needed_limit(config, network) == (256, 128)
    config.test_pipeline[1] = dict(type="OVResize", scale_factor=2.0)
    assert needed_limit(config, network) is None


def test_no_shipped_recipe_is_limited() -> None:
    configs = [load_config(name) for name in recipe_names()]
    with_network = [c for c in configs if c.get("prepare", {}).get("proposals")]
    assert len(with_network) > 20
    for config in with_network:
        assert limit_of(proposal_network(config)) is None, config.filename
