"""Every recipe for LVIS and COCO takes steps on real photos, with real text embeddings.

The teacher's image embeddings are drawn at random: no weights of CLIP's image tower are at hand.
"""

import json
from pathlib import Path

import pytest
import torch
from mmdet.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate

import ovdistill.models.register  # noqa: F401
from ovdistill.datasets.names import find_names
from ovdistill.extraction.prepare import prepare_vocabulary
from ovdistill.models.config import load_config
from ovdistill.store import Regions, write_store
from ovdistill.store.captions import write_captions
from ovdistill.vocabulary import Vocabulary

pytestmark = pytest.mark.slow  # detectors with ResNet-50 on photos
CONFIGS = Path(__file__).parents[1] / "configs"
SEGMENTORS = ("lseg", "maskclip", "maskword")  # of label maps: tests/segmentation builds them
RECIPES = sorted(
    path.stem
    for kind in ("r50", "mobilenetv4")
    for path in CONFIGS.glob(f"*_{kind}_*.py")
    if not path.stem.startswith(SEGMENTORS)
)
EMBEDDINGS = {"lvis": "lvis_v1", "coco": "coco"}  # of all 80 of COCO
D = 512


@pytest.fixture(scope="module")
def options(real_data, tmp_path_factory):
    """What a user would give as --cfg-options, by benchmark; stores for all photos."""
    work = tmp_path_factory.mktemp("real")
    given = {}
    for benchmark in ("lvis", "coco"):
        own = work / benchmark
        own.mkdir()
        annotations = real_data / "coco_mini/annotations"
        name = "lvis_train2017.json" if benchmark == "lvis" else "instances_train2017.json"
        content = json.loads((annotations / name).read_text())
        photos = [image["id"] for image in content["images"]]
        boxes = {photo: [] for photo in photos}
        for annotation in content["annotations"]:
            x, y, w, h = annotation["bbox"]
            boxes[annotation["image_id"]].append([x, y, x + w, y + h])
        write_store(
            own / "regions",
            (
                (photo, Regions(torch.tensor(b).view(-1, 4), torch.rand(len(b)), embed(len(b))))
                for photo, b in boxes.items()
            ),
            {},
        )
        captions = {photo: [(3 * n, [3 * n + 1, 3 * n + 2])] for n, photo in enumerate(photos)}
        write_captions(own / "captions", captions, embed(3 * len(photos)), {})
        images = str(real_data / "coco_mini/images/train2017") + "/"
        given[benchmark] = {
            "data_root": str(annotations),
            "train_ann": name,
            "val_ann": name,
            "images" if benchmark == "lvis" else "train_images": images,
            "vocabulary": str(own / "vocabulary"),
            "regions": str(own / "regions"),
            "captions": str(own / "captions"),
        }
        recipe = load_config(CONFIGS / f"rkd_r50_{benchmark}.py", given[benchmark])
        embeddings = str(real_data / "clip_text" / f"{EMBEDDINGS[benchmark]}_clip_a+cname.npy")
        prepare_vocabulary(recipe, **{**recipe.prepare.vocabulary, "embeddings": embeddings})
    return given


def embed(rows: int) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.randn(rows, D), dim=1)


def small(config: Config) -> Config:
    """The same recipe from scratch, on small images, with few proposals and RoIs."""

    def shrink(value, key=None):
        if key in ("scale", "crop_size"):
            several = isinstance(value[0], (list, tuple))
            return [(192, 140), (192, 160)] if several else (192, 160)
        if key == "scales" and isinstance(value[0], (list, tuple)):  # of images, not of anchors
            return [(192, 140), (192, 160)]
        if key == "init_cfg":
            return None  # no weights are fetched in tests
        if isinstance(value, dict):
            return {k: shrink(v, k) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(shrink(item) for item in value)
        return value

    content = shrink(config.to_dict())
    train = content["model"]["train_cfg"]
    if "rcnn" in train:
        train["rcnn"]["sampler"]["num"] = 16
        train["rpn_proposal"]["max_per_img"] = 50
        content["model"]["test_cfg"]["rpn"]["max_per_img"] = 20
    return Config(content)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_takes_steps_on_real_photos(name, options):
    benchmark = name.rsplit("_", 1)[-1]
    config = small(load_config(CONFIGS / f"{name}.py", options[benchmark]))
    data = DATASETS.build(config.train_dataloader.dataset)
    model = MODELS.build(config.model)
    model.init_weights()
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), 1e-4)
    trained = {key for key, parameter in model.named_parameters() if parameter.requires_grad}
    reached = set()
    for step in range(2):
        batch = pseudo_collate([data[2 * step], data[2 * step + 1]])
        prepared = model.data_preprocessor(batch, True)
        loss, logged = model.parse_losses(model(**prepared, mode="loss"))
        assert loss.isfinite(), logged
        optimizer.zero_grad()
        loss.backward()
        reached |= {k for k, p in model.named_parameters() if p.grad is not None}
        assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)
        optimizer.step()
    assert reached == trained
    owner = getattr(model, "roi_head", model)
    terms = [type(term).__name__ for term in getattr(owner, "distillers", ())]
    assert terms == [term.type for term in config.model.get("distillers", ())]
    with torch.no_grad():
        results = model.eval().test_step(pseudo_collate([data[0]]))
    assert all(sample.pred_instances.bboxes.isfinite().all() for sample in results)


@pytest.mark.parametrize(("benchmark", "counts"), [("lvis", (866, 337)), ("coco", (48, 17))])
def test_published_embeddings_are_the_vocabulary(benchmark, counts, options):
    words = Vocabulary.load(options[benchmark]["vocabulary"])
    base = int(words.is_base.sum())
    assert (base, len(words) - base) == counts
    assert words.teacher == ("ViT-B-32-quickgelu:openai", "")


def test_the_names_of_mmdet_serve_the_official_annotations(options):
    """Which differ in one letter of "speaker_(stereo_equipment)"."""
    recipe = load_config(CONFIGS / "rkd_r50_lvis.py", options["lvis"])
    names = find_names("lvis").names
    words = Vocabulary(names, embed(len(names)), torch.ones(len(names)) > 0, "test")
    official = DATASETS.build(recipe.val_dataloader.dataset)
    other = DATASETS.build(dict(recipe.val_dataloader.dataset, vocabulary=words))
    assert other.metainfo["cat_ids"] == official.metainfo["cat_ids"]
