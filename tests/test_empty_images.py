"""An image without any base box reaches the model of the recipes that distil, and teaches it."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmdet.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from torch.utils.data import Dataset

import ovdistill.models.register  # noqa: F401
from ovdistill.core.teacher_id import TeacherId
from ovdistill.models.config import load_config
from ovdistill.store import Regions, write_store
from ovdistill.store.captions import write_captions
from ovdistill.vocabulary import Vocabulary

CONFIGS = Path(__file__).parents[1] / "configs"
EMPTY = 3  # id of the image that holds an emu, which is novel
D = 16
# recipe: the loss between its regions and the teacher
RECIPES = {
    "vild_r50_lvis": "loss_vild_image",
    "vild_ens_r50_coco": "loss_vild_image",
    "rkd_r50_lvis": "loss_rkd_point",
    "hierkd_r50_lvis": "loss_hierkd_region",
    "ovdistill_r50_lvis": "loss_vouch_image",
    "vild_r18_shapes": "loss_vild_image",
}


def unit(rows: int) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.randn(rows, D), dim=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two images: a cat, and an emu alone, which has regions all the same."""
    work = tmp_path_factory.mktemp("empty")
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    for name in ("1.png", "3.png"):
        cv2.imwrite(str(work / name), random.integers(0, 255, (96, 128, 3), dtype=np.uint8))
    polygon = [[10, 10, 70, 10, 70, 60, 10, 60]]
    shape = dict(bbox=[10, 10, 60, 50], area=3000, segmentation=polygon)
    content = dict(
        images=[dict(id=i, file_name=f"{i}.png", height=96, width=128) for i in (1, EMPTY)],
        annotations=[
            dict(shape, image_id=1, category_id=5),
            dict(shape, image_id=EMPTY, category_id=9),
        ],
        categories=[dict(id=5, name="cat"), dict(id=7, name="dog"), dict(id=9, name="emu")],
    )
    (work / "annotations").mkdir()
    for name in ("ann.json", "annotations/instances_train.json"):
        (work / name).write_text(json.dumps(content))
    boxes = torch.tensor([[8.0, 8, 70, 62], [30, 20, 120, 90], [0, 0, 50, 50]])
    records = [(i, Regions(boxes, torch.tensor([0.9, 0.8, 0.7]), unit(3))) for i in (1, EMPTY)]
    write_store(work / "regions", records, {})
    write_captions(work / "captions", {1: [(0, [1])], EMPTY: [(2, [3])]}, unit(4), {})
    is_base = torch.tensor([True, True, False])
    Vocabulary(("cat", "dog", "emu"), unit(3), is_base, TeacherId("test"), counts=(9, 9, 9)).save(
        work / "vocabulary"
    )
    return work


def build_data(name: str, work: Path) -> tuple[Dataset, Config]:
    """The training set of a recipe on the two images, made small, and its config."""
    paths = {key: str(work / key) for key in ("vocabulary", "regions", "captions")}
    options = {"data_root": str(work), "train_ann": "ann.json", "model.backbone.init_cfg": None}
    config = load_config(CONFIGS / f"{name}.py", options | paths)
    dataset = config.train_dataloader.dataset
    dataset = dataset.get("dataset", dataset)  # samplers by class wrap the data set
    dataset.data_prefix = dict(img="")
    for step in dataset.pipeline:
        for key in {"scale", "crop_size"} & step.keys():
            several = isinstance(step[key][0], (list, tuple))
            step[key] = [(128, 96)] * 2 if several else (128, 96)
    return DATASETS.build(config.train_dataloader.dataset), config


@pytest.mark.parametrize("name", RECIPES)
def test_regions_of_an_empty_image_are_distilled(name, folder):
    data, config = build_data(name, folder)
    (index,) = (n for n in range(len(data)) if data.get_data_info(n)["img_id"] == EMPTY)
    np.random.seed(0)
    drawn = [data[index] for _ in range(6)]
    # every draw is this image: none was replaced by another because it has no box
    assert {item["data_samples"].img_id for item in drawn} == {EMPTY}
    assert all(len(item["data_samples"].gt_instances) == 0 for item in drawn)
    batch = [item for item in drawn if len(item["data_samples"].teacher_regions)][:2]
    assert len(batch) == 2

    if "roi_head" in config.model:
        config.model.train_cfg.rcnn.sampler.num = 16
        config.model.train_cfg.rpn_proposal.max_per_img = 40
    model = MODELS.build(config.model)
    model.train()
    batch = model.data_preprocessor(pseudo_collate(batch), True)
    losses = model(**batch, mode="loss")
    loss, logged = model.parse_losses(losses)
    assert loss.isfinite(), logged
    taught = losses[RECIPES[name]]
    assert taught > 0
    taught.backward()
    weights = [p.grad for p in model.backbone.parameters() if p.grad is not None]
    assert weights and max(float(grad.abs().max()) for grad in weights) > 0


@pytest.mark.parametrize(
    "name", ["vild_text_r50_lvis", "rkd_base_r50_coco", "rpn_r50_lvis", "hierkd_r50_coco"]
)
def test_recipes_to_which_it_says_nothing_leave_it_out(name, folder):
    data, _ = build_data(name, folder)
    assert [data.get_data_info(n)["img_id"] for n in range(len(data))] == [1]
