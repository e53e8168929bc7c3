"""Every family of open_clip as a teacher: vocabulary, regions, training and testing.

Small models of each family's own classes with random weights; other text lengths, text towers
without a causal mask, and a sigmoid head with its bias among them.
"""

import json
import math

import pytest
import torch
from open_clip.model import CustomTextCLIP
from safetensors.torch import save_file

from ovdistill.commands import main
from ovdistill.store import TeacherStore
from ovdistill.teacher import build_teacher
from ovdistill.vocabulary import Vocabulary
from tests.teacher.families import TEXT, TOWERS, scramble

CONFIG = "vild_r18_shapes"
SMALL = [
    "train_cfg.max_iters=2",
    "train_cfg.val_interval=2",
    "train_cfg.val_begin=100",
    "train_dataloader.batch_size=2",
    "train_dataloader.num_workers=0",
    "train_dataloader.persistent_workers=False",
    "val_dataloader.num_workers=0",
    "val_dataloader.persistent_workers=False",
    "test_dataloader.num_workers=0",
    "test_dataloader.persistent_workers=False",
    "prepare.regions.per_image=4",
    "geometry=plain",
]
BIDIRECTIONAL = dict(no_causal_mask=True)
LAST = dict(no_causal_mask=True, pool_type="last")
# by family: how its text tower differs, and what its model has beside the towers
TEXTS = {
    "vit": (dict(context_length=77), {}),
    "resnet": (dict(context_length=77), {}),
    "convnext": (dict(context_length=77), {}),
    "siglip": (
        dict(context_length=64, proj_bias=True, **LAST),
        dict(init_logit_scale=math.log(10), init_logit_bias=-10.0),
    ),
    "pe-core": (dict(context_length=32), {}),
    "mobileclip": (dict(context_length=77, **BIDIRECTIONAL), {}),
}


def write_family(folder, family):
    """Write a teacher's folder with a small model of a family; its words are CLIP's."""
    text, more = TEXTS[family]
    tower = TOWERS[family]
    width = tower["width"] if tower.get("timm_proj") == "none" else 24
    config = dict(
        embed_dim=width,
        vision_cfg=tower,
        text_cfg={**TEXT, "vocab_size": 49408, **text},
        custom_text=True,
        **more,
    )
    folder.mkdir()
    stated = dict(name=f"small-{family}", model_cfg=config, preprocess_cfg={})
    (folder / "open_clip_config.json").write_text(json.dumps(stated))
    torch.manual_seed(0)
    arguments = {key: value for key, value in config.items() if key != "custom_text"}
    model = CustomTextCLIP(**arguments)
    scramble(model.visual)
    state = {name: value.contiguous() for name, value in model.state_dict().items()}
    save_file(state, folder / "open_clip_model.safetensors")
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    main.run(["make-ovshapes", "--root", str(folder), "--train", "4", "--val", "2", "--test", "2"])
    return folder


def test_the_bias_of_a_sigmoid_head_changes_no_softmax(tmp_path):
    teacher = build_teacher(dict(model=str(write_family(tmp_path / "teacher", "siglip"))))
    assert teacher.temperature == pytest.approx(0.1)
    images = torch.randint(0, 256, (3, 3, 160, 160), dtype=torch.uint8)
    texts = ["a star", "a ring", "a photo of a heart."]
    cosines = torch.nn.functional.normalize(teacher.encode_images(images), dim=1)
    cosines = cosines @ teacher.encode_text(texts).T
    own = teacher.model.logit_scale.exp() * cosines + teacher.model.logit_bias
    torch.testing.assert_close(own.softmax(1), (cosines / teacher.temperature).softmax(1))


@pytest.mark.slow
@pytest.mark.parametrize("family", TEXTS)
def test_vocabulary_stores_training_and_testing(data, tmp_path, family):
    built = build_teacher(dict(model=str(write_family(tmp_path / "teacher", family))))
    vocabulary = tmp_path / "vocabulary.safetensors"
    options = [
        *SMALL,
        f"data_root={data}",
        f"vocabulary={vocabulary}",
        f"teacher.model={tmp_path / 'teacher'}",
    ]
    crops = [*options, f"regions={tmp_path / 'crops'}"]
    assert not main.run(["prepare", CONFIG, "--cfg-options", *crops])
    dense = [
        *options,
        f"regions={tmp_path / 'dense'}",
        "teacher.crops.mode=dense",
        f"teacher.crops.size={4 * built.dense_stride}",
    ]
    run = tmp_path / "run"
    words = ["train", CONFIG, "--work-dir", str(run), "--cfg-options", *dense]
    assert not main.run(words)
    assert Vocabulary.load(vocabulary).teacher.is_same(built.id)
    for mode in ("crops", "dense"):
        store = TeacherStore(tmp_path / mode)
        assert len(store) == 4 and store.meta.embed_dim == built.embed_dim
        assert store.meta.provenance["crops"].get("mode", "crops") == mode
    scalars = next(run.glob("*/vis_data/scalars.json")).read_text()
    assert "loss_vild_image" in scalars and "NaN" not in scalars
    words = ["test", CONFIG, str(run / "last.pth"), "-o", str(tmp_path / "out")]
    flags = ["--teacher-on-crops"] if family == "siglip" else []
    assert not main.run([*words, *flags, "--cfg-options", *dense])
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert 0 <= metrics["bbox/AP"] <= 100
