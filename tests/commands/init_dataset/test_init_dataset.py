"""`ovdistill init-dataset`: from an annotation file to a config that trains."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmdet.registry import DATASETS, MODELS
from mmengine.config import Config

import ovdistill.models.register  # noqa: F401
from ovdistill.commands import main
from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.datasets.annotations import read_annotations
from ovdistill.datasets.names import read_names
from ovdistill.extraction.prepare import prepare_proposals
from ovdistill.models.config import load_config, placeholder_values
from ovdistill.ovshapes.generate import make_ovshapes
from ovdistill.store import Regions, write_store
from ovdistill.vocabulary import Vocabulary, base_mask

from ...running import run

D = 8


def content() -> dict:
    """Two images, two annotations with boxes alone, three categories."""
    return dict(
        images=[dict(id=i, file_name=f"{i}.png", height=64, width=96) for i in (4, 7)],
        annotations=[
            dict(id=1, image_id=4, category_id=2, bbox=[5, 5, 40, 30], area=1200, iscrowd=0),
            dict(id=2, image_id=4, category_id=9, bbox=[50, 20, 20, 30], area=600, iscrowd=0),
        ],
        categories=[
            dict(id=2, name="garden gnome"),
            dict(id=5, name="watering_can"),
            dict(id=9, name="cat's bowl"),
        ],
    )


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "pets"
    (folder / "images").mkdir(parents=True)
    for image in content()["images"]:
        pixels = np.full((image["height"], image["width"], 3), 120, np.uint8)
        cv2.imwrite(str(folder / "images" / image["file_name"]), pixels)
    write(folder / "train.json", content())
    return folder


def write(path: Path, value: dict) -> Path:
    path.write_text(json.dumps(value))
    return path


def init(*words: object) -> None:
    assert not main.run(["init-dataset", *map(str, words)])


def build(config: Config, work: Path) -> None:
    """Vocabulary and regions as `prepare` would make them; then the data set and the model."""
    names = read_names(config.prepare.vocabulary["names"])
    mask = base_mask(names.names, names.frequency, list(config.prepare.vocabulary.split))
    embeddings = torch.nn.functional.normalize(torch.randn(len(names), D), dim=1)
    vocabulary = Vocabulary(names.names, embeddings, mask, TeacherId("test"))
    images = json.loads(Path(config.prepare.vocabulary["names"]).read_text())["images"]
    regions = Regions(torch.tensor([[0.0, 0, 30, 30]]), torch.ones(1), torch.ones(1, D))
    write_store(work / "regions", [(image["id"], regions) for image in images], {})
    dataset = config.train_dataloader.dataset
    dataset.vocabulary = config.model.vocabulary = vocabulary
    for step in dataset.pipeline:
        if "store" in step:
            step.store = str(work / "regions")
    built = DATASETS.build(dataset)
    assert len(built) == len(images)
    assert built.metainfo["is_base"] == tuple(mask.tolist())
    packed = built[0]
    assert len(packed["data_samples"].teacher_regions) <= 1
    config.model.backbone.init_cfg = None
    MODELS.build(config.model)
    test = DATASETS.build(dict(config.test_dataloader.dataset, vocabulary=vocabulary))
    assert test.metainfo["classes"] == names.names and test[0]["inputs"].shape[0] == 3


def test_boxes_alone_without_anything_to_evaluate_on(data, tmp_path, capsys):
    path = tmp_path / "own" / "pets.py"
    init(data / "train.json", "--novel", "Watering can", "-o", path)
    printed = capsys.readouterr().out
    assert "2 images in " in printed and "1 images without any" in printed
    assert "2 annotations have no mask: boxes only" in printed
    assert "base: 2 (garden gnome, cat's bowl)" in printed and "novel: 1 (watering_can)" in printed
    assert f"ovdistill prepare {path}" in printed and "ovdistill test" not in printed
    config = load_config(path)
    assert config.val_cfg is None and config.val_dataloader is None and not config.test_evaluator
    assert config.model.roi_head.mask_head is None
    build(config, tmp_path)


def test_the_proposal_network_sees_the_same_base_boxes(data, tmp_path):
    path = tmp_path / "pets.py"
    init(data / "train.json", "--novel", "watering_can", "-o", path)
    config = load_config(path)
    step = config.prepare.proposals
    network = load_config(
        path.parent / step.network, {**placeholder_values(config), **step.options}
    )
    dataset = network.train_dataloader.dataset
    assert (dataset.labelled, dataset.ann_file) == ("base", "train.json")
    assert dataset.vocabulary == config.vocabulary
    assert dataset.data_prefix.img == "images/" and dataset.data_root == str(data)
    # its own pipeline, not the detector's, whose regions it is to make
    assert [s.type for s in dataset.pipeline if "Teacher" in s.type] == []
    assert network.train_cfg.max_iters == step.options.train_cfg.max_iters == 36  # 36 epochs of 2
    assert network.optim_wrapper.optimizer.lr == 0.02 * 2 / 16
    assert network.optim_wrapper.clip_grad.max_norm == 35  # the rest is the recipe's
    # 0.003 in the recipe: statistics that settle in 36 iterations
    assert (
        network.model.backbone.norm_cfg.momentum == network.model.rpn_head.norm_cfg.momentum == 0.1
    )


def test_ignored_objects_are_no_background(data, tmp_path):
    """Where there is a mask head, an object without a mask is one of them."""
    path = tmp_path / "pets.py"
    for recipe in ("vild_r50_coco", "vild_mobilenetv4_coco", "hierkd_r50_coco"):
        init(data / "train.json", "--base-config", recipe, "-o", path, "--force")
        config = load_config(path)
        network = load_config(path.parent / config.prepare.proposals.network, step_options(config))
        given = load_config(recipe).model.train_cfg
        for own, theirs in zip(
            [*assigners(config.model.train_cfg), network.model.train_cfg.rpn.assigner],
            [*assigners(given), load_config("rpn_r50_coco").model.train_cfg.rpn.assigner],
            strict=True,
        ):
            assert (own.type, own.ignore_iof_thr) == (f"Ignoring{theirs.type}", 0.5)
            assert theirs.get("ignore_iof_thr", -1) == -1  # the published recipe is as it was
            assert own == dict(theirs, type=own.type, ignore_iof_thr=0.5)


def assigners(train_cfg: Config) -> list[Config]:
    parts = [train_cfg] if "assigner" in train_cfg else [train_cfg.rpn, train_cfg.rcnn]
    return [part.assigner for part in parts]


@pytest.mark.parametrize(("kind", "recipe"), [("instances", "coco"), ("lvis", "lvis")])
def test_real_annotations(kind, recipe, real_data, tmp_path):
    folder = real_data / "coco_mini"
    file = folder / "annotations" / f"{kind}_train2017.json"
    path = tmp_path / "mini.py"
    init(
        file,
        "--images",
        folder / "images/train2017",
        "--val",
        file,
        "--novel",
        "zebra, giraffe",
        "-o",
        path,
    )
    config = load_config(path)
    assert f"vild_r50_{recipe}.py" in path.read_text()
    assert config.val_evaluator[0].protocol == recipe
    assert tuple(config.val_evaluator[0].metrics) == ("bbox", "segm")
    assert config.model.roi_head.mask_head.type == "NormMaskHead"
    assert Path(config.val_evaluator[0].ann_file).samefile(file)
    build(config, tmp_path)


def test_nothing_is_replaced_unasked(data, tmp_path):
    path = tmp_path / "pets.py"
    path.write_text("mine")
    with pytest.raises(UserError, match="--force"):
        init(data / "train.json", "-o", path)
    assert path.read_text() == "mine"
    init(data / "train.json", "-o", path, "--force")
    assert load_config(path).prepare.vocabulary.split == []
    assert not list(tmp_path.glob("*.tmp"))


def test_novel_names_from_a_file(data, tmp_path):
    names = tmp_path / "novel.txt"
    names.write_text("cat's bowl\n")
    init(data / "train.json", "--novel-file", names, "-o", tmp_path / "pets.py")
    assert load_config(tmp_path / "pets.py").prepare.vocabulary.split == ["cat's bowl"]


def test_images_outside_of_the_folder_on_request(data, tmp_path):
    own = content()
    for image in own["images"]:
        image["file_name"] = str(data / "images" / image["file_name"])
    write(data / "train.json", own)
    path = tmp_path / "pets.py"
    with pytest.raises(UserError, match="--allow-outside-images"):
        init(data / "train.json", "-o", path)
    init(data / "train.json", "-o", path, "--allow-outside-images")
    config = load_config(path)
    assert config.test_dataloader.dataset.allow_outside_images
    assert config.prepare.proposals.options.train_dataloader.dataset.allow_outside_images
    build(config, tmp_path)


def changed(**parts: object) -> dict:
    return {**content(), **parts}


ANNOTATION = content()["annotations"][0]
WITHOUT_AREA = {key: value for key, value in ANNOTATION.items() if key != "area"}
BAD_FILES = {
    "not JSON": ("{", "not JSON"),
    "captions": (dict(images=[], annotations=[]), "no categories"),
    "nothing": (changed(annotations=[]), "0 annotations"),
    "name twice": (changed(categories=content()["categories"] * 2), "occurs twice|more than once"),
    "image twice": (changed(images=content()["images"] * 2), "image ids occur more than once"),
    "no size": (changed(images=[dict(id=4, file_name="4.png")]), "image 4 .*height, width"),
    "no box": (changed(annotations=[dict(ANNOTATION, bbox=[])]), r"annotation 1 .* has bbox \[\]"),
    "lost image": (changed(annotations=[dict(ANNOTATION, image_id=5)]), "image_id 5"),
    "lost category": (changed(annotations=[dict(ANNOTATION, category_id=1)]), "category_id 1"),
    "no images": (changed(images=[dict(content()["images"][0], file_name="x.png")]), "--images"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_FILES)
def test_what_is_wrong_with_a_file_is_said(name, data, tmp_path):
    value, message = BAD_FILES[name]
    path = data / "bad.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    with pytest.raises(UserError, match=message):
        init(path, "-o", tmp_path / "pets.py")
    assert not (tmp_path / "pets.py").exists()


def test_annotations_may_lack_an_area(data, tmp_path):
    """Their boxes have one, by which COCO's evaluation tells small objects from large ones."""
    write(data / "train.json", changed(annotations=[WITHOUT_AREA]))
    path = tmp_path / "pets.py"
    init(data / "train.json", "--val", data / "train.json", "-o", path)
    assert load_config(path).val_evaluator[0].ann_file == str(data / "train.json")
    (annotation,) = read_annotations(data / "train.json").annotations
    assert annotation["area"] == 40 * 30


BAD_OPTIONS = {
    "near name": (["--novel", "watering cam"], "did you mean watering_can?"),
    "other name": (["--novel", "zebra"], "there are garden gnome"),
    "every name": (["--novel", "garden gnome, watering can, cat's bowl"], "at least one"),
    "every name with boxes": (["--novel", "garden gnome, cat's bowl"], "no base class has a box"),
    "nothing left": (["--drop", "garden gnome, watering can, cat's bowl"], "at least one"),
    "novel and dropped": (["--drop", "cat's bowl", "--novel", "cat's bowl"], "no category .* used"),
    "drop another": (["--drop", "zebra"], "zebra"),
    "no file": (["--names", "none.txt"], "--names none.txt"),
    "two lengths": (["--epochs", "3", "--iterations", "3"], "--epochs and --iterations"),
    "no size": (["--image-size", "12"], "--image-size 12"),
    "three sides": (["--image-size", "100x200x300"], "short"),
    "no backbone": (["--backbone", "resnet"], "expected resnet"),
    "no pyramid": (["--backbone", "vit_tiny_patch16_224"], "stride 4.*16"),
    "no weights": (["--teacher", "ViT-B-32:opnai"], "openai"),
    "no file of the tag": (["--teacher", "ViT-B-32:openai=none.pt"], "openai=none.pt; expected"),
    "no module": (["--teacher", "nowhere.Mine"], "nowhere cannot be imported"),
    "no teacher": (["--teacher", "collections.OrderedDict"], "register_teacher"),
    "two lists": (["--novel", "zebra", "--novel-file", "x"], "give one of them"),
    "no list": (["--novel-file", "none.txt"], "no such file"),
    "no recipe": (["--base-config", "vild_r50_lvi"], "did you mean .*vild_r50_lvis"),
    "masks needed": (["--base-config", "vild_r18_shapes"], "learns from masks"),
    "wrapped data": (["--base-config", "vild_rfs_r50_lvis"], "ClassBalancedDataset"),
    "other categories": (["--val", "{data}/val.json"], "'watering_can'.*--drop"),
    "no epochs": (["--epochs", "0"], "--epochs 0"),
    "no config": (["-o", "pets"], "-o pets; expected a file that ends in .py"),
}


@pytest.mark.parametrize("name", BAD_OPTIONS)
def test_what_is_wrong_with_the_command_is_said(name, data, tmp_path):
    options, message = BAD_OPTIONS[name]
    few = [c for c in content()["categories"] if c["id"] != 5]
    write(data / "val.json", changed(categories=few))
    path = tmp_path / "pets.py"
    with pytest.raises(UserError, match=message):
        init(data / "train.json", "-o", path, *(part.format(data=data) for part in options))
    assert not path.exists()


def test_initial_weights_that_cannot_be_fetched(data, tmp_path):
    path = tmp_path / "pets.py"
    init(data / "train.json", "-o", path)
    nowhere = dict(type="Pretrained", checkpoint="http://127.0.0.1:9/none.pth")
    options = {"prepare.proposals.options.model.backbone.init_cfg": nowhere}
    config = load_config(path, options | {"cache": str(tmp_path / "cache")})
    names = read_names(config.prepare.vocabulary["names"]).names
    vocabulary = Vocabulary(names, torch.eye(3, D), torch.ones(3) > 0, TeacherId("test"))
    vocabulary.save(config.vocabulary)
    with pytest.raises(UserError, match=r"options.model.backbone.init_cfg.checkpoint=PATH"):
        prepare_proposals(config, **config.prepare.proposals)


def test_testing_without_images_says_how_to_name_them(data, tmp_path):
    path, checkpoint = tmp_path / "pets.py", tmp_path / "weights.pth"
    init(data / "train.json", "-o", path)
    checkpoint.write_bytes(b"")
    with pytest.raises(UserError, match="evaluates no test images.*init-dataset.*--val"):
        main.run(["test", str(path), str(checkpoint)])


@pytest.mark.slow
def test_from_a_file_to_figures(tmp_path):
    """OVShapes as if it were a user's own data: prepare, train, test."""
    shapes, path = tmp_path / "ovshapes", tmp_path / "mine.py"
    make_ovshapes(shapes, train=4, val=2, test=1, workers=1)
    annotations = shapes / "annotations"
    init(
        annotations / "instances_train.json", "--val", annotations / "instances_val.json",
        "--images", shapes / "images", "--novel", "solid heart, dotted ring",
        "--base-config", "vild_r18_shapes", "--batch-size", 2, "-o", path,
    )  # fmt: skip
    small = [
        f"cache={tmp_path / 'cache'}", "train_cfg.max_iters=2", "train_cfg.val_interval=3",
        "prepare.regions.per_image=2", "prepare.proposals.options.train_cfg.max_iters=2",
        "prepare.proposals.options.train_dataloader.batch_size=2",
    ]  # fmt: skip
    run("tools/train.py", path, "--work-dir", tmp_path / "run", "--cfg-options", *small)
    made = {file.name for file in (tmp_path / "cache").iterdir()}
    assert {"vocabulary.safetensors", "proposals.pth"} < made
    vocabulary = Vocabulary.load(tmp_path / "cache" / "vocabulary.safetensors")
    pairs = zip(vocabulary.names, vocabulary.is_base, strict=True)
    novel = [name for name, is_base in pairs if not is_base]
    assert sorted(novel) == ["dotted ring", "solid heart"]
    out = tmp_path / "out"
    run("tools/test.py", path, tmp_path / "run" / "last.pth", "-o", out,
        "--cfg-options", f"cache={tmp_path / 'cache'}",
        "test_dataloader.num_workers=0")  # fmt: skip
    classes = json.loads((out / "per_category.json").read_text())
    assert [c["name"] for c in classes if c["group"] == "novel"] == novel
    assert json.loads((out / "metrics.json").read_text())["segm/AP"] >= 0


def test_the_file_of_a_tag(data, tmp_path):
    (weights := tmp_path / "own.pt").touch()
    path = tmp_path / "pets.py"
    init(data / "train.json", "--teacher", f"ViT-B-32:openai={weights}", "-o", path)
    teacher = load_config(path).teacher
    assert (teacher.model, teacher.pretrained) == ("ViT-B-32", f"openai={weights}")


def test_every_option_at_once(data, tmp_path):
    """A file of base classes alone, another one to evaluate on, and each choice in the config."""
    write(data / "train.json", changed(categories=[content()["categories"][n] for n in (0, 2)]))
    more = dict(id=3, name='{odd} "name", of Größe'), dict(id=4, name="fence")
    write(data / "val.json", changed(categories=[*content()["categories"], *more]))
    (names := tmp_path / "names.txt").write_text("Cat's bowl\ngarden_gnome\nwatering can\nfence\n")
    path = tmp_path / "own" / "pets.py"
    init(
        data / "train.json", "--val", data / "val.json", "--names", names, "--drop", "fence",
        "--image-size", "96x64", "--backbone", "resnet10t", "--teacher", "ViT-B-16:openai",
        "--iterations", 7, "-o", path,
    )  # fmt: skip
    config = load_config(path)
    step = config.prepare.vocabulary
    assert read_names(step["names"]).names == ("cat's bowl", "garden gnome", "watering_can")
    assert step.split == ["watering_can"]
    assert config.train_cfg.max_iters == 7
    assert (config.teacher.model, config.teacher.pretrained) == ("ViT-B-16", "openai")
    assert config.teacher.crops.scales == (1.0, 1.5)  # the recipe's
    crop = next(s for s in config.train_dataloader.dataset.pipeline if s.type == "RandomCrop")
    assert crop.crop_size == (96, 96)
    assert config.test_pipeline[1].scale == config.val_dataloader.dataset.pipeline[1].scale
    assert config.test_pipeline[1].scale == (96, 64)
    assert config.val_evaluator[0].ann_file == f"{data}/val.json"
    network = load_config(path.parent / config.prepare.proposals.network, step_options(config))
    for model in (config.model, network.model):
        assert model.backbone.init_cfg.checkpoint == "timm://resnet10t.c3_in1k"
        assert model.neck.in_channels == [64, 128, 256, 512]
        assert model.data_preprocessor.mean == [123.675, 116.28, 103.53]
        assert "depth" not in model.backbone  # nothing is left of the ResNet-50
    assert network.test_pipeline[1].scale == (96, 64)
    assert network.train_dataloader.dataset.ann_file == "train.json"


def test_a_teacher_of_ones_own_and_the_backbone_of_a_recipe(data, tmp_path, monkeypatch):
    (tmp_path / "grey_teacher.py").write_text(
        "from ovdistill.teacher import Teacher, register_teacher\n"
        "@register_teacher\n"
        "class GreyTeacher(Teacher):\n"
        "    name, embed_dim, image_size = 'grey', 4, 8\n"
        "    def __init__(self, crops=None, device='cpu'):\n"
        "        super().__init__(crops)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    path = tmp_path / "pets.py"
    words = [data / "train.json", "--base-config", "vild_r50_lvis", "-o", path, "--force"]
    init(*words, "--teacher", "grey_teacher.GreyTeacher", "--backbone", "vild_r18_shapes")
    config = load_config(path)
    assert "grey_teacher" in config.custom_imports.imports
    assert (config.teacher.type, "model" in config.teacher) == ("GreyTeacher", False)
    assert config.teacher.crops.scales == (1.0, 1.5)  # the recipe's
    assert config.prepare.vocabulary.synonyms is False  # of which this file has none
    assert config.model.backbone.base_channels == 24
    assert config.model.neck.in_channels == [24, 48, 96]
    assert config.model.data_preprocessor.std == [64.0, 64.0, 64.0]
    with pytest.raises(UserError, match=r"\[4, 8, 16, 32.*\[8, 16, 32\]"):
        init(*words, "--backbone", "vild_mobilenetv4_coco")


def step_options(config: Config) -> dict:
    return {**placeholder_values(config), **config.prepare.proposals.options}


def test_evaluators_and_kind_of_training_are_kept_or_fit(data, tmp_path):
    """A recipe by epochs trains by iterations; its own evaluators see the user's file."""
    recipe, path = tmp_path / "own.py", tmp_path / "pets.py"
    base = Path(__file__).parents[3] / "configs" / "vild_star_r50_coco.py"
    recipe.write_text(
        f"_base_ = [{str(base)!r}]\n"
        "test_evaluator = [dict(type='OVMetric', ann_file='x', protocol='lvis', max_dets=50),\n"
        "  dict(type='ProposalRecall', ann_file='x', iou=0.7), dict(type='Mine', deep=[print])]\n"
    )
    with pytest.raises(UserError, match="built-in function print"):
        init(data / "train.json", "--base-config", recipe, "--val", data / "train.json", "-o", path)
    recipe.write_text(recipe.read_text().replace("print", "dict(a=2)"))
    init(data / "train.json", "--base-config", recipe, "--val", data / "train.json", "-o", path)
    config = load_config(path)
    metric, recall, mine = config.test_evaluator
    assert (metric.protocol, tuple(metric.metrics)) == ("coco", ("bbox",))
    assert "max_dets" not in metric and metric.ann_file == recall.ann_file
    assert recall.iou == 0.7 and mine == dict(type="Mine", deep=[dict(a=2)])
    assert config.train_cfg.type == "IterBasedTrainLoop" and "max_epochs" not in config.train_cfg
    assert not config.default_hooks.checkpoint.by_epoch and not config.log_processor.by_epoch


@pytest.mark.slow
def test_from_base_boxes_alone_to_a_text_query_with_every_option(tmp_path):
    """Prepare, train two iterations, test and predict with what the command wrote."""
    shapes, path = tmp_path / "ovshapes", tmp_path / "mine.py"
    make_ovshapes(shapes, train=4, val=2, test=1, workers=1)
    annotations = shapes / "annotations"
    train = json.loads((annotations / "instances_train.json").read_text())
    unlabelled = {c["id"] for c in train["categories"] if c["name"].endswith(("heart", "arrow"))}
    train["categories"] = [c for c in train["categories"] if c["id"] not in unlabelled]
    train["annotations"] = [a for a in train["annotations"] if a["category_id"] not in unlabelled]
    write(annotations / "base.json", train)
    init(
        annotations / "base.json", "--val", annotations / "instances_val.json",
        "--images", shapes / "images", "--novel", "dotted ring", "--drop", "solid arrow",
        "--base-config", "vild_mobilenetv4_coco", "--backbone", "resnet10t", "--image-size", 96,
        "--teacher", "ovshapes", "--batch-size", 2, "--iterations", 2, "-o", path,
    )  # fmt: skip
    cache = f"cache={tmp_path / 'cache'}"
    scratch = [
        cache, "model.backbone.init_cfg=None", "prepare.regions.per_image=2",
        "prepare.proposals.options.model.backbone.init_cfg=None",
        "prepare.proposals.options.train_dataloader.num_workers=0",
        "prepare.proposals.options.train_dataloader.persistent_workers=False",
        "train_dataloader.num_workers=0", "train_dataloader.persistent_workers=False",
        "val_dataloader.num_workers=0",
    ]  # fmt: skip
    run("tools/train.py", path, "--work-dir", tmp_path / "run", "--cfg-options", *scratch)
    vocabulary = Vocabulary.load(tmp_path / "cache" / "vocabulary.safetensors")
    named = zip(vocabulary.names, vocabulary.is_base.tolist(), strict=True)
    novel = {name for name, is_base in named if not is_base}
    # told, or not in the training file
    assert novel > {"dotted ring", "solid heart", "striped arrow"} and len(novel) == 10
    assert "solid arrow" not in vocabulary.names and len(vocabulary) == 64
    weights = tmp_path / "run" / "last.pth"
    run("tools/test.py", path, weights, "-o", tmp_path / "out",
        "--cfg-options", cache, "test_dataloader.num_workers=0")  # fmt: skip
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert "segm/AP_novel" in metrics
    image = next((shapes / "images").glob("*"))
    run("demo/image_demo.py", image, "--text", "dotted heart", "--config", path, "--checkpoint",
        weights, "-o", tmp_path / "drawn", "--cfg-options", cache)  # fmt: skip
    assert list((tmp_path / "drawn").iterdir())
