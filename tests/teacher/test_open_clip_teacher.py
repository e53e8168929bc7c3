"""Any open_clip model as a teacher, and what goes wrong on the way to its weights."""

import json
import logging
import shutil
import sys
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from open_clip.transform import image_transform
from PIL import Image
from safetensors.torch import load_file, save_file

from ovdistill.core.assets import TEACHER_DIR
from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.teacher import CropPolicy, OpenCLIPTeacher, teacher_name
from ovdistill.teacher.open_clip_model import create_model
from ovdistill.teacher.teacher_folder import WEIGHTS_NAME
from ovdistill.teacher.weights import CONFIG_NAME


@pytest.fixture(scope="module")
def teacher():
    return OpenCLIPTeacher(str(TEACHER_DIR))


@pytest.fixture
def copy(tmp_path):
    return shutil.copytree(TEACHER_DIR, tmp_path / "teacher")


@pytest.fixture(params=["HF_HUB_OFFLINE", "OVDISTILL_OFFLINE"])
def offline(request, monkeypatch, tmp_path):
    monkeypatch.setenv(request.param, "1")


def test_is_frozen_and_stays_so(teacher):
    assert not any(p.requires_grad for p in teacher.parameters())
    assert not any(module.training for module in teacher.train().modules())
    assert (teacher.name, teacher.embed_dim, teacher.image_size) == ("ovshapes-rn", 128, 64)
    assert teacher.id == TeacherId("ovshapes-rn", teacher.weights_hash)


def test_text_is_unit_norm_and_batch_invariant(teacher):
    texts = ["a photo of a red star.", "zebra", "a striped ring"]
    together = teacher.encode_text(texts)
    assert (together.shape, together.dtype) == ((3, 128), torch.float32)
    torch.testing.assert_close(together.norm(dim=1), torch.ones(3))
    apart = teacher.encode_text(texts, batch_size=1)
    torch.testing.assert_close(together, apart, atol=1e-5, rtol=0)
    assert teacher.encode_text([]).shape == (0, 128)


def test_images_are_normalised_by_the_models_own_statistics(teacher):
    images = torch.rand(2, 3, 64, 64)
    mean = torch.tensor(teacher.model.visual.preprocess_cfg["mean"])[:, None, None]
    std = torch.tensor(teacher.model.visual.preprocess_cfg["std"])[:, None, None]
    with torch.inference_mode():
        expected = teacher.model.encode_image((images - mean) / std)
    torch.testing.assert_close(teacher.encode_images(images), expected, atol=1e-5, rtol=1e-4)
    whole = (images * 255).round().byte()
    torch.testing.assert_close(teacher.encode_images(whole), teacher.encode_images(whole / 255))


def test_regions(teacher):
    image = torch.randint(0, 256, (3, 70, 90), dtype=torch.uint8)
    boxes = torch.tensor([[5.0, 5, 40, 30], [-3, 20, 30, 80], [50, 10, 89.5, 60]])
    regions = teacher.encode_regions(image, boxes)
    assert (regions.shape, regions.dtype) == ((3, 128), torch.float32)
    torch.testing.assert_close(regions.norm(dim=1), torch.ones(3))
    chunked = teacher.encode_regions(image, boxes, batch_size=1)
    torch.testing.assert_close(regions, chunked, atol=1e-5, rtol=0)
    as_float = teacher.encode_regions(image.float() / 255, boxes)
    torch.testing.assert_close(regions, as_float, atol=1e-5, rtol=0)
    # Raw sum over the scales, then unit norm.
    raw = [
        teacher.encode_images(*CropPolicy(scales=(s,)).crop([(image, boxes)], 64, "bilinear"))
        for s in (1.0, 1.5)
    ]
    by_hand = torch.nn.functional.normalize(raw[0] + raw[1], dim=1)
    torch.testing.assert_close(regions, by_hand, atol=1e-5, rtol=0)
    assert teacher.encode_regions(image, torch.zeros(0, 4)).shape == (0, 128)


def test_results_can_be_targets_of_a_loss(teacher):
    student = torch.zeros(1, 128, requires_grad=True)
    image, boxes = torch.rand(3, 64, 64), torch.tensor([[0.0, 0, 64, 64]])
    for target in (
        teacher.encode_text(["star"]),
        teacher.encode_regions(image, boxes),
        teacher.encode_images(image[None]),
    ):
        (student * target).sum().backward()
    assert student.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("shape", "boxes"),
    [
        ((70, 90), [[0.0, 0, 1, 1]]),
        ((3, 70, 90), [[0.0, 0, 1]]),
        ((3, 70, 90), [[5.0, 5, 5, 9]]),
        ((3, 70, 90), [[5.0, 5, float("nan"), 9]]),
    ],
)
def test_bad_regions(teacher, shape, boxes):
    with pytest.raises(UserError, match="expected"):
        teacher.encode_regions(torch.zeros(shape), torch.tensor(boxes))


def test_bad_text(teacher, caplog):
    with pytest.raises(UserError, match="text 1 is empty"):
        teacher.encode_text(["star", "  "])
    with caplog.at_level(logging.WARNING):
        teacher.encode_text(["star " * 40])
    assert "cut to the teacher's 32 tokens" in caplog.text


def test_hash_tells_weights_apart(teacher, copy):
    assert len(teacher.weights_hash) == 16
    assert OpenCLIPTeacher(str(copy)).weights_hash == teacher.weights_hash
    state = load_file(copy / WEIGHTS_NAME)
    state["text_projection"] = state["text_projection"] + 0.01
    save_file(state, copy / WEIGHTS_NAME)
    assert OpenCLIPTeacher(str(copy)).weights_hash != teacher.weights_hash


def test_the_hash_tells_models_apart_that_use_the_same_weights_differently(
    teacher, copy, monkeypatch
):
    plain = OpenCLIPTeacher(str(copy))
    assert plain.id.is_same(teacher.id)
    monkeypatch.setattr(
        "ovdistill.teacher.open_clip_teacher.has_unknown_settings", lambda *names: True
    )
    other = OpenCLIPTeacher(str(copy))
    assert not other.id.is_same(teacher.id)
    assert OpenCLIPTeacher(str(copy), precision="bf16").id.is_same(other.id)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (dict(model="ovshapes"), "ovshapes-rn"),
        (dict(model="ovshapes", random_weights=True), "ovshapes-rn:random"),
        (dict(model="ViT-B/32", pretrained="openai"), "ViT-B-32:openai"),
        (dict(model="ViT-B-32", pretrained="/some/weights.pt", crops={}), "ViT-B-32:weights.pt"),
        (dict(model="ViT-B-32", pretrained="openai=/some/weights.pt"), "ViT-B-32:openai"),
        (dict(model="hf-hub:org/repo"), "hf-hub:org/repo"),
        (dict(model="no/such/directory"), None),
        (dict(), None),
    ],
)
def test_the_name_is_known_without_the_weights(options, expected):
    assert teacher_name(options) == expected


def test_random_weights_are_loud_and_repeatable(copy, caplog):
    (copy / WEIGHTS_NAME).unlink()
    state = torch.get_rng_state()
    with caplog.at_level(logging.WARNING):
        first = OpenCLIPTeacher(str(copy), random_weights=True)
    assert "RANDOM TEACHER WEIGHTS" in caplog.text
    assert first.name == "ovshapes-rn:random"
    assert OpenCLIPTeacher(str(copy), random_weights=True).weights_hash == first.weights_hash
    assert torch.equal(torch.get_rng_state(), state)


def test_missing_directory_config_and_weights(copy):
    with pytest.raises(UserError, match="no teacher directory"):
        OpenCLIPTeacher(str(copy / "elsewhere"))
    (copy / WEIGHTS_NAME).unlink()
    with pytest.raises(UserError, match=r"no weights .*ovdistill teacher train"):
        OpenCLIPTeacher(str(copy))
    (copy / CONFIG_NAME).write_text("{")
    with pytest.raises(UserError, match="open_clip_config"):
        OpenCLIPTeacher(str(copy))
    (copy / CONFIG_NAME).unlink()
    with pytest.raises(UserError, match=f"no {CONFIG_NAME}"):
        OpenCLIPTeacher(str(copy))


def test_weights_of_another_architecture(copy):
    config = json.loads((copy / CONFIG_NAME).read_text())
    config["model_cfg"]["embed_dim"] = 64
    (copy / CONFIG_NAME).write_text(json.dumps(config))
    with pytest.raises(UserError, match="do not load: .*expected weights of exactly this"):
        OpenCLIPTeacher(str(copy))


def test_a_tokenizer_of_hugging_face_without_its_package(copy, monkeypatch):
    config = json.loads((copy / CONFIG_NAME).read_text())
    config["model_cfg"]["text_cfg"]["hf_tokenizer_name"] = "any/name"
    (copy / CONFIG_NAME).write_text(json.dumps(config))
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(UserError, match=r"needs transformers.*ovdistill\[siglip\]"):
        OpenCLIPTeacher(str(copy))


@pytest.mark.parametrize("source", ["folder", "hf-hub:any/name"])
@pytest.mark.parametrize("more", [{}, {"trust_remote_code": True}, {"bpe_path": "/etc/passwd"}])
def test_a_configuration_switches_no_code_on(copy, monkeypatch, source, more):
    config = json.loads((copy / CONFIG_NAME).read_text())
    options = {"clean": "lower", **more}
    config["model_cfg"]["text_cfg"] |= {"hf_tokenizer_name": "x", "tokenizer_kwargs": options}
    (copy / CONFIG_NAME).write_text(json.dumps(config))
    monkeypatch.setattr("ovdistill.teacher.weights.is_offline", bool)
    monkeypatch.setattr("open_clip.factory._get_hf_config", lambda *_, **__: config)
    asked = []
    tokenizer = SimpleNamespace(from_pretrained=lambda _, **kwargs: asked.append(kwargs))
    monkeypatch.setitem(sys.modules, "transformers", SimpleNamespace(AutoTokenizer=tokenizer))
    with pytest.raises(UserError, match="tokenizer_kwargs") if more else nullcontext():
        create_model(str(copy) if source == "folder" else source, None, random_weights=True)
    assert [kwargs["trust_remote_code"] for kwargs in asked] == ([] if more else [False])


def test_truncated_weights(copy):
    path = copy / WEIGHTS_NAME
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UserError, match="damaged"):
        OpenCLIPTeacher(str(copy))


@pytest.mark.parametrize(
    ("model", "pretrained", "message"),
    [
        ("ViT-X-99", None, "unknown teacher"),
        ("ViT-B-32", None, "without weights; expected pretrained= one of openai"),
        ("ViT-B-32", "missing.pt", "neither a file nor a known tag"),
        (str(TEACHER_DIR), "openai", "expected one: the directory"),
    ],
)
def test_bad_names(model, pretrained, message):
    with pytest.raises(UserError, match=message):
        OpenCLIPTeacher(model, pretrained)


def test_nothing_is_downloaded_offline(offline, monkeypatch, tmp_path):
    def refuse(*args, **kwargs):
        raise AssertionError("tried to download")

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("ovdistill.teacher.weights.download_pretrained", refuse)
    monkeypatch.setattr("ovdistill.teacher.weights.try_to_load_from_cache", lambda *_: None)
    with pytest.raises(UserError, match="ViT-B-32:openai: not in .*switched off"):
        OpenCLIPTeacher("ViT-B-32", "openai")
    with pytest.raises(UserError, match="not in the local cache"):
        OpenCLIPTeacher("hf-hub:laion/some-clip")


def test_failed_download_is_one_clear_error(monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("no route to host")

    for variable in ("HF_HUB_OFFLINE", "OVDISTILL_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("ovdistill.teacher.weights.download_pretrained", fail)
    with pytest.raises(UserError, match="cannot be fetched .no route to host.*give a file"):
        OpenCLIPTeacher("ViT-B-32", "openai")


def test_regions_are_those_of_the_plain_pipeline(teacher):
    """PIL crops, open_clip's own preprocessing, one by one: the cosine is 0.999 and above."""
    generator = np.random.default_rng(0)
    image = Image.fromarray(generator.integers(0, 256, (12, 16, 3), np.uint8))
    image = image.resize((160, 120), Image.BICUBIC)
    corner = generator.uniform(0, 100, (40, 2))
    boxes = np.concatenate([corner, corner + generator.uniform(4, 60, (40, 2))], axis=1)
    preprocess = image_transform(
        teacher.image_size,
        is_train=False,
        mean=tuple(teacher.mean.flatten().tolist()),
        std=tuple(teacher.std.flatten().tolist()),
        interpolation=teacher.interpolation,
        resize_mode="shortest",
    )
    with torch.inference_mode():
        plain = [
            teacher.model.encode_image(preprocess(image.crop(tuple(map(round, box))))[None])[0]
            for box in boxes.tolist()
        ]
    clip = OpenCLIPTeacher(str(TEACHER_DIR), crops=dict(scales=(1.0,), shape="clip"))
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)
    ours = clip.encode_regions(pixels, torch.from_numpy(boxes))
    assert torch.nn.functional.cosine_similarity(ours, torch.stack(plain)).min() >= 0.999


@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
def test_whole_images_are_those_of_the_models_own_preprocessing(copy, mode):
    config = json.loads((copy / CONFIG_NAME).read_text())
    config["preprocess_cfg"]["resize_mode"] = mode
    (copy / CONFIG_NAME).write_text(json.dumps(config))
    teacher = OpenCLIPTeacher(str(copy))
    generator = np.random.default_rng(0)
    image = Image.fromarray(generator.integers(0, 256, (12, 16, 3), np.uint8))
    image = image.resize((160, 90), Image.BICUBIC)
    preprocess = image_transform(
        teacher.image_size,
        is_train=False,
        mean=tuple(teacher.mean.flatten().tolist()),
        std=tuple(teacher.std.flatten().tolist()),
        interpolation=teacher.interpolation,
        resize_mode=mode,
        fill_color=0,
    )
    with torch.inference_mode():
        plain = teacher.model.encode_image(preprocess(image)[None])
    pixels, frame = torch.from_numpy(np.array(image)).permute(2, 0, 1), [[0.0, 0, 160, 90]]
    ours = teacher.encode_regions(pixels, torch.tensor(frame), policy=teacher.whole_image)
    assert torch.nn.functional.cosine_similarity(ours, plain) >= 0.999


def test_regions_of_several_images_fill_batches_together(teacher):
    images = [torch.randint(0, 256, (3, 70 + i, 90), dtype=torch.uint8) for i in range(3)]
    boxes = [torch.rand(n, 4) * 30 + torch.tensor([0, 0, 40, 40]) for n in (3, 0, 4)]
    sizes = []
    hook = teacher.model.visual.register_forward_pre_hook(
        lambda _, args: sizes.append(len(args[0]))
    )
    together = teacher.encode_regions(images, boxes, batch_size=5)
    hook.remove()
    assert sizes == [4, 4, 4, 2]  # crops; both scales of a region stay together
    apart = [teacher.encode_regions(*pair) for pair in zip(images, boxes, strict=True)]
    torch.testing.assert_close(together, torch.cat(apart), atol=1e-5, rtol=0)
    with pytest.raises(UserError, match="3 images, 2 sets of boxes"):
        teacher.encode_regions(images, boxes[:2])


def test_half_precision_is_of_the_same_teacher(teacher):
    half = OpenCLIPTeacher(str(TEACHER_DIR), precision="bf16")
    assert half.weights_hash == teacher.weights_hash
    images = torch.randint(0, 256, (4, 3, 64, 64), dtype=torch.uint8)
    cosine = torch.nn.functional.cosine_similarity
    assert cosine(half.encode_images(images), teacher.encode_images(images)).min() > 0.995
    assert torch.equal(half.encode_text(["star"]), teacher.encode_text(["star"]))
    with pytest.raises(UserError, match="teacher precision 'int4'; expected: fp32, bf16, fp16"):
        OpenCLIPTeacher(str(TEACHER_DIR), precision="int4")


@pytest.mark.parametrize(("scale", "bias"), [(2.302585, -10.0), (None, None)])
def test_other_architectures_keep_their_own_scale(copy, scale, bias):
    """A ViT with its own text tower, SigLIP's scale and bias; D, S and mean are the model's."""
    config = json.loads((copy / CONFIG_NAME).read_text())
    config["model_cfg"] |= dict(custom_text=True, embed_dim=24)
    config["model_cfg"]["vision_cfg"] = dict(
        layers=1, width=32, head_width=16, patch_size=8, image_size=40
    )
    if scale is not None:
        config["model_cfg"] |= dict(init_logit_scale=scale, init_logit_bias=bias)
    config["preprocess_cfg"]["mean"] = [0.1, 0.2, 0.3]
    (copy / CONFIG_NAME).write_text(json.dumps(config))
    other = OpenCLIPTeacher(str(copy), random_weights=True)
    assert (other.embed_dim, other.image_size) == (24, 40)
    torch.testing.assert_close(other.mean.flatten(), torch.tensor([0.1, 0.2, 0.3]))
    assert other.temperature == pytest.approx(0.1 if scale else 0.07, rel=1e-3)
    image = torch.randint(0, 256, (3, 70, 90), dtype=torch.uint8)
    regions = other.encode_regions(image, torch.tensor([[5.0, 5, 40, 30]]))
    assert regions.shape == other.encode_text(["a star"]).shape == (1, 24)


def test_images_must_be_square(copy):
    config = json.loads((copy / CONFIG_NAME).read_text())
    config["model_cfg"]["vision_cfg"] = dict(
        layers=1, width=32, head_width=16, patch_size=8, image_size=[40, 64]
    )
    (copy / CONFIG_NAME).write_text(json.dumps(config))
    with pytest.raises(UserError, match="expected square ones"):
        OpenCLIPTeacher(str(copy), random_weights=True)
