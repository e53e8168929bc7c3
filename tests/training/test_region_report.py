"""What a training says of its regions before the first iteration, and that nothing stops it."""

import json
import logging
from types import SimpleNamespace

import pytest
import torch

import ovdistill.models.register  # noqa: F401
from ovdistill.datasets.ov_dataset import OVDataset
from ovdistill.models.config import load_config
from ovdistill.store import Regions, write_store
from ovdistill.training.region_report import ReportRegions, region_report
from ovdistill.vocabulary import Vocabulary


@pytest.fixture
def options(tmp_path):
    """Two images, each with a base and a novel object, and a region on the base object."""
    boxes = {5: [0, 0, 10, 10], 6: [20, 0, 10, 10]}
    annotations = [
        dict(id=2 * i + c, image_id=i, category_id=c, bbox=box, area=100, iscrowd=0)
        for i in (1, 2)
        for c, box in boxes.items()
    ]
    content = dict(
        images=[dict(id=i, file_name=f"{i}.png", height=32, width=40) for i in (1, 2)],
        annotations=annotations,
        categories=[dict(id=5, name="cat"), dict(id=6, name="emu")],
    )
    (tmp_path / "ann.json").write_text(json.dumps(content))
    regions = Regions(torch.tensor([[0.0, 0, 10, 10]]), torch.ones(1), torch.eye(2)[:1])
    write_store(tmp_path / "regions", [(1, regions), (2, regions)], {})
    vocabulary = Vocabulary(("cat", "emu"), torch.eye(2), torch.tensor([True, False]), "t")
    load = dict(type="LoadTeacherRegions", store=str(tmp_path / "regions"))
    return dict(ann_file=str(tmp_path / "ann.json"), vocabulary=vocabulary, pipeline=[load])


@pytest.mark.parametrize("labelled", ["base", "all"])
def test_the_report_knows_base_labels_only(options, labelled):
    lines = list(region_report(OVDataset(**options, labelled=labelled), 500))
    assert lines[0].startswith("2 images, 2 regions: 100.0 % lie on a labelled object")
    assert "100.0 % of these 2 objects at IoU 0.5" in lines[0]


def test_an_image_that_the_store_skipped_is_left_out(options, tmp_path):
    regions = Regions(torch.tensor([[0.0, 0, 10, 10]]), torch.ones(1), torch.eye(2)[:1])
    write_store(tmp_path / "other", [(2, regions)], {})
    options["pipeline"][0]["store"] = str(tmp_path / "other")
    assert next(region_report(OVDataset(**options), 500)).startswith("1 images, 1 regions")


def test_without_regions_or_classes_there_is_nothing_to_say(options):
    assert not list(region_report(OVDataset(**options, class_agnostic=True), 500))
    assert not list(region_report(OVDataset(**{**options, "pipeline": []}), 500))
    assert not list(region_report(object(), 500))


def run_hook(dataset) -> None:
    loader = SimpleNamespace(dataset=dataset)
    logger = logging.getLogger("test_region_report")
    ReportRegions(1).before_train(SimpleNamespace(train_dataloader=loader, logger=logger))


def test_the_hook_logs_the_report_once_and_draws_nothing(options, caplog):
    caplog.set_level(logging.INFO)
    state = torch.get_rng_state()
    run_hook(SimpleNamespace(dataset=OVDataset(**options)))  # wrapped, as to repeat images
    assert caplog.messages[0].startswith("regions: 1 images, 1 regions")
    assert torch.equal(torch.get_rng_state(), state)


def test_nothing_stops_the_training(options, caplog):
    dataset = OVDataset(**options)
    dataset.pipeline.transforms[0].store = None
    run_hook(dataset)
    (message,) = caplog.messages
    assert message.startswith("regions: not measured (AttributeError")


def test_recipes_have_the_hook():
    hooks = load_config("vild_r18_shapes").default_hooks
    assert hooks.report_regions.type == "ReportRegions"
