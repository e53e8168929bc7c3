"""Networks of timm as backbones, with random weights: nothing is downloaded."""

import logging

import pytest
import timm
import torch
from mmdet.registry import MODELS
from safetensors.torch import save_file
from torch import nn

import ovdistill.models.register_models  # noqa: F401
from ovdistill.core.errors import UserError
from ovdistill.models.timm_backbone import TimmBackbone

NAME = "mobilenetv4_conv_small_035"


def build(name=NAME, **options):
    return TimmBackbone(name, **dict(strides=(8, 16, 32)) | options)


def frozen(backbone):
    return {n for n, p in backbone.network.named_parameters() if not p.requires_grad}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        (NAME, {}),
        ("resnet10t", {}),  # its feature maps are numbered from the stem on
        ("convnext_atto", {}),  # from the first stage on
        ("swin_tiny_patch4_window7_224", dict(options=dict(strict_img_size=False))),  # NHWC
    ],
)
def test_feature_maps_have_the_strides_that_were_asked_for(name, options):
    backbone = MODELS.build(dict(type="TimmBackbone", model_name=name, strides=(8, 32), **options))
    maps = backbone.eval()(torch.rand(2, 3, 64, 96))
    assert [each.shape[2:] for each in maps] == [(8, 12), (2, 3)]
    assert maps[0].shape[1] < maps[1].shape[1]  # channels come second


def test_the_stem_is_frozen_with_its_statistics():
    backbone = build(frozen_stride=4).train()
    stem = frozen(backbone)
    assert "conv_stem.weight" in stem and "blocks.0.0.conv.weight" in stem
    assert not any(name.startswith("blocks.1.") for name in stem)
    before = {name: value.clone() for name, value in backbone.network.state_dict().items()}
    backbone(torch.rand(2, 3, 64, 64))
    moved = {n for n, v in backbone.network.state_dict().items() if not v.equal(before[n])}
    assert "blocks.2.0.dw_start.bn.running_mean" in moved or any("blocks.2" in n for n in moved)
    assert not any(name.startswith(("conv_stem", "bn1", "blocks.0")) for name in moved)
    assert frozen(build()) == set()


def test_statistics_are_kept_on_request():
    backbone = build(norm_eval=True).train()
    norms = [m for m in backbone.modules() if isinstance(m, nn.BatchNorm2d)]
    assert norms and not any(norm.training for norm in norms)
    assert backbone.training and all(norm.weight.requires_grad for norm in norms)


def test_layers_after_the_last_map_are_not_trained():
    """Else a distributed training would wait for their gradients."""
    backbone = build(strides=(8, 16))
    total = sum(each.sum() for each in backbone(torch.rand(1, 3, 64, 64)))
    total.backward()
    trained = [p for p in backbone.parameters() if p.requires_grad]
    assert trained and all(p.grad is not None for p in trained)


def test_channels_last_is_a_layout_and_changes_no_value():
    torch.manual_seed(0)
    plain = build().eval()
    last = build(channels_last=True).eval()
    last.load_state_dict(plain.state_dict())
    image = torch.rand(1, 3, 64, 64)
    for one, other in zip(plain(image), last(image), strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-3)
    assert last(image)[0].is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_weights_from_a_file_that_timm_would_load(suffix, tmp_path):
    """timm's names differ from those of its network of feature maps; timm converts them."""
    source = timm.create_model("convnext_atto").state_dict()
    path = tmp_path / f"weights{suffix}"
    if suffix == ".pth":
        torch.save(dict(state_dict={f"module.{k}": v for k, v in source.items()}), path)
    else:
        save_file(source, path)
    init_cfg = dict(type="Pretrained", checkpoint=str(path))
    backbone = build("convnext_atto", init_cfg=init_cfg)
    assert not torch.equal(backbone.network.state_dict()["stem_0.weight"], source["stem.0.weight"])
    backbone.init_weights()
    own = backbone.network.state_dict()
    assert torch.equal(own["stem_0.weight"], source["stem.0.weight"])
    assert torch.equal(
        own["stages_3.blocks.1.mlp.fc2.weight"], source["stages.3.blocks.1.mlp.fc2.weight"]
    )


def test_weights_of_another_network(tmp_path, caplog):
    path = tmp_path / "weights.pth"
    init_cfg = dict(type="Pretrained", checkpoint=str(path))
    torch.save(timm.create_model("resnet10t").state_dict(), path)
    with pytest.raises(UserError, match="does not fit"):
        build(init_cfg=init_cfg).init_weights()
    some = timm.create_model(NAME).state_dict()
    kept = [name for name, value in some.items() if value.ndim > 1 and name.startswith("blocks")]
    torch.save({name: some[name] for name in kept[:5]}, path)
    with caplog.at_level(logging.WARNING):
        build(init_cfg=init_cfg).init_weights()
    assert "weight arrays of" in caplog.text


def test_code_in_a_file_of_weights_is_not_run(tmp_path):
    class Harmful:
        def __reduce__(self):
            return (pytest.fail, ("code was run",))

    torch.save(dict(state_dict=Harmful()), tmp_path / "weights.pth")
    init_cfg = dict(type="Pretrained", checkpoint=str(tmp_path / "weights.pth"))
    with pytest.raises(UserError, match="safely"):
        build(init_cfg=init_cfg).init_weights()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(name="resnet1"), "resnet18|resnet10t|resnet"),
        (dict(name="hf-hub:someone/else"), "no model"),
        (dict(name="vit_tiny_patch16_224"), r"stride 8; it has \[16\]"),
        (dict(strides=(4, 64)), r"stride 64; it has \[2, 4, 8, 16, 32\]"),
        (dict(frozen_stride=3), "stride 3"),
        (dict(options=dict(nonsense=1)), "nonsense"),
        (dict(options=dict(checkpoint_path="x.pth")), "checkpoint_path"),
        (dict(options=dict(pretrained=True)), "pretrained"),
        (dict(name="swin_tiny_patch4_window7_224"), "strict_img_size"),
        (dict(init_cfg=dict(type="Normal")), "init_cfg"),
    ],
)
def test_what_cannot_be_built(options, message):
    with pytest.raises(UserError, match=message):
        build(**options)
