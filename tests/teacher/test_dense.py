"""Dense features of every kind of image tower: what a position's feature is, exactly."""

import copy

import pytest
import torch
import torch.nn.functional as F

from ovdistill.core.errors import UserError
from ovdistill.teacher.dense import dense_features, dense_stride
from tests.teacher.families import TOWERS, small_model

# those whose pooling sees nothing but the positions
ALONE = ["clipa", "vit-average", "convnext", "convnext-mlp", "mobileclip", "gap", "swin"]
AVERAGED = ["vit-average", "mobileclip", "swin"]  # no norm behind the average


@pytest.fixture(scope="module")
def models():
    return {family: small_model(family) for family in TOWERS}


def trained_size(model):
    """Return the side of the images that a model is made for."""
    size = model.visual.image_size
    return size if isinstance(size, int) else size[0]


def close(actual, expected):
    """The same up to rounding, for values of any size."""
    torch.testing.assert_close(
        actual, expected, rtol=1e-4, atol=1e-4 * float(expected.detach().abs().max())
    )


@pytest.mark.parametrize("family", TOWERS)
def test_sizes_that_are_not_square_and_larger_than_in_training(models, family):
    model = models[family]
    stride = dense_stride(model)
    trained = trained_size(model)
    rows, columns = 2, trained // stride + 3
    pixels = torch.randn(2, 3, rows * stride, columns * stride)
    image = torch.randn(2, 3, trained, trained)
    before = model.encode_image(image)
    features = dense_features(model, pixels)
    assert features.shape == (2, before.shape[1], rows, columns)
    assert features.isfinite().all()
    assert features.flatten(2).std(dim=2).min() > 0  # positions differ
    # an image's features do not depend on the others of its batch, and the model is as it was
    close(dense_features(model, pixels[:1]), features[:1])
    assert torch.equal(before, model.encode_image(image))


@pytest.mark.parametrize("family", ALONE)
def test_an_image_of_one_position_has_that_positions_feature(models, family):
    stride = dense_stride(models[family])
    if family in ("vit-average", "clipa"):
        model = small_model(family, image_size=stride)
    else:
        model = copy.deepcopy(models[family])
        model.visual.set_input_size((stride, stride))
    pixels = torch.randn(3, 3, stride, stride)
    close(dense_features(model, pixels)[:, :, 0, 0], model.encode_image(pixels))


@pytest.mark.parametrize("family", AVERAGED)
def test_the_mean_over_positions_is_the_images_embedding(models, family):
    model = models[family]
    pixels = torch.randn(2, 3, *2 * [trained_size(model)])
    close(dense_features(model, pixels).mean(dim=(2, 3)), model.encode_image(pixels))


def test_resnet_with_uniform_attention_averages_its_positions(models):
    """Its pooling is then the mean over the positions and their mean."""
    model = copy.deepcopy(models["resnet"])
    pool = model.visual.attnpool
    for parameter in (*pool.q_proj.parameters(), pool.positional_embedding):
        torch.nn.init.zeros_(parameter)
    pixels = torch.randn(2, 3, 64, 64)
    close(dense_features(model, pixels).mean(dim=(2, 3)), model.encode_image(pixels))


@pytest.mark.parametrize("family", ["vit", "vit-custom"])
def test_a_class_token_vit_keeps_the_values_of_its_last_block(models, family):
    visual = models[family].visual
    pixels = torch.randn(2, 3, 32, 32)
    first, last = visual.transformer.resblocks
    hidden = first(visual._embeds(pixels))
    attention = last.attn
    values = F.linear(last.ln_1(hidden), attention.in_proj_weight, attention.in_proj_bias)[..., 64:]
    inner = attention.ln_inner(values) if family == "vit-custom" else values
    hidden = hidden + attention.out_proj(inner)
    hidden = hidden + last.mlp(last.ln_2(hidden))
    expected = visual.ln_post(hidden[:, 1:]) @ visual.proj
    close(dense_features(models[family], pixels), expected.mT.reshape(2, 24, 4, 4))


def test_a_class_token_trunk_keeps_the_values_of_its_last_block(models):
    visual = models["mobileclip-b"].visual
    trunk, pixels = visual.trunk, torch.randn(1, 3, 160, 160)
    hidden = trunk.norm_pre(trunk._pos_embed(trunk.patch_embed(pixels)))
    for block in trunk.blocks[:-1]:
        hidden = block(hidden)
    last = trunk.blocks[-1]
    hidden = hidden + last.attn.proj(last.attn.qkv(last.norm1(hidden))[..., 128:])
    hidden = hidden + last.mlp(last.norm2(hidden))
    expected = trunk.head(trunk.fc_norm(trunk.norm(hidden)))[:, 1:]
    close(dense_features(models["mobileclip-b"], pixels), expected.mT.reshape(1, 24, 10, 10))


@pytest.mark.parametrize("family", ["siglip", "pe-core"])
def test_attentional_pooling_keeps_its_values_and_its_mlp(models, family):
    visual = models[family].visual
    trunk, side = visual.trunk, trained_size(models[family])
    pixels = torch.randn(1, 3, side, side)
    pool, hidden = trunk.attn_pool, trunk.forward_features(pixels)
    values = pool.proj(pool.kv(hidden)[..., hidden.shape[-1] :])
    values = values + pool.mlp(pool.norm(values))
    expected = visual.head(trunk.head(trunk.fc_norm(values)))[:, trunk.num_prefix_tokens :]
    features = dense_features(models[family], pixels)
    close(features.flatten(2), expected.mT)


def test_coca_keeps_the_values_of_its_pooling(models):
    visual = models["coca"].visual
    pixels = torch.randn(1, 3, 32, 32)
    tokens = visual.transformer(visual._embeds(pixels))
    alone = visual.attn_pool(tokens[0, 1:, None])[:, 0]  # 16 sequences of one token
    expected = visual.ln_post(alone) @ visual.proj
    close(dense_features(models["coca"], pixels)[0].flatten(1), expected.T)


@pytest.mark.parametrize("family", ["vit", "resnet", "pe-core", "mobileclip"])
def test_gradients_reach_the_tower(models, family):
    visual = models[family].visual
    stride = dense_stride(models[family])
    dense_features(models[family], torch.randn(1, 3, 2 * stride, 3 * stride)).sum().backward()
    reached = {name for name, value in visual.named_parameters() if value.grad is not None}
    visual.zero_grad()
    first = next(name for name, _ in visual.named_parameters() if "conv" in name or "proj" in name)
    assert first in reached
    if family in ("vit", "pe-core"):
        assert any("pos" in name for name in reached)


@pytest.mark.parametrize("family", ["vit", "pe-core"])
def test_trained_after_it_has_run_without_gradients(models, family):
    model, side = models[family], 3 * dense_stride(models[family])
    with torch.inference_mode():
        dense_features(model, torch.randn(1, 3, side, side))
    model.encode_image(torch.randn(1, 3, *2 * [trained_size(model)])).sum().backward()
    model.zero_grad()


@pytest.mark.parametrize("size", [(31, 32), (32, 7), (0, 32)])
def test_a_size_that_does_not_fit(models, size):
    with pytest.raises(UserError, match="multiples of the tower's stride 8"):
        dense_features(models["vit"], torch.zeros(1, 3, *size))


def test_towers_without_dense_features():
    relative = small_model("gap", timm_model_name="test_vit_relpos")
    with pytest.raises(UserError, match="VisionTransformerRelPos"):
        dense_features(relative, torch.zeros(1, 3, 160, 160))
    cascade = small_model("coca", attentional_pool="cascade", width=24, head_width=12)
    with pytest.raises(UserError, match="cascade"):
        dense_features(cascade, torch.zeros(1, 3, 32, 32))
    cascade.visual = torch.nn.Identity()
    with pytest.raises(UserError, match="Identity"):
        dense_features(cascade, torch.zeros(1, 3, 32, 32))


@pytest.mark.parametrize("family", TOWERS)
def test_half_precision(models, family):
    model, stride = copy.deepcopy(models[family]), dense_stride(models[family])
    pixels = torch.randn(1, 3, 2 * stride, 3 * stride)
    with torch.inference_mode():
        expected = dense_features(model, pixels)
        model.visual.bfloat16()
        found = dense_features(model, pixels.bfloat16())
    assert found.dtype == torch.bfloat16
    assert F.cosine_similarity(found.float(), expected, dim=1).min() > 0.999
