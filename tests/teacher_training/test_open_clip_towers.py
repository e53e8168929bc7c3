"""Towers of three families: shapes, and that they do what the model does."""

from __future__ import annotations

import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.teacher_training.open_clip_towers import OpenCLIPTowers

from . import tiny

FAMILIES = dict(vit=tiny.VIT, resnet=tiny.RESNET, timm=tiny.TIMM)


@pytest.mark.parametrize("vision", FAMILIES.values(), ids=FAMILIES)
def test_shapes_and_gradients(vision: dict) -> None:
    built = tiny.towers(vision)
    batch = tiny.batch(built, count=2)
    images, texts = built.encode_images(batch.images), built.encode_texts(batch.tokens)
    feature_map, dense = built.image_map(batch.images), built.dense_images(batch.images)
    states = built.text_states(batch.tokens)
    assert built.training and built.image_size == vision["image_size"]
    assert images.shape == texts.shape == (2, built.embed_dim) == (2, 8)
    assert feature_map.shape[:2] == (2, built.image_width)
    assert dense.shape[:2] == (2, 8) and dense.shape[2:] == feature_map.shape[2:]
    assert states.shape == (2, 12, built.text_width) and built.text_width == 16
    for value in (images, texts):
        torch.testing.assert_close(value.norm(dim=1), torch.ones(2))
    for value in (images, texts, feature_map, dense, states):
        assert value.requires_grad


def test_embeddings_are_those_of_the_model() -> None:
    built = tiny.towers(tiny.RESNET).eval()
    batch = tiny.batch(built, count=2)
    torch.testing.assert_close(
        built.encode_images(batch.images), built.model.encode_image(batch.images, normalize=True)
    )


def test_the_state_at_the_end_of_a_text_is_its_embedding() -> None:
    built = tiny.towers()
    tokens = built.tokenizer(["a red cat", "dog"])
    ends = built.text_states(tokens)[torch.arange(2), tokens.argmax(dim=1)]
    embedded = torch.nn.functional.normalize(ends @ built.model.text_projection, dim=-1)
    torch.testing.assert_close(embedded, built.encode_texts(tokens))


def test_without_a_causal_mask_words_see_those_behind_but_no_padding() -> None:
    built = tiny.towers()
    one, other = built.tokenizer(["a red cat", "a red dog"])
    causal, both = (built.text_states(torch.stack([one, other]), causal=c) for c in (True, False))
    torch.testing.assert_close(causal[0, :3], causal[1, :3])  # start, "a", "red"
    assert not torch.allclose(both[0, :3], both[1, :3])
    short = built.text_states(one[None, :5], causal=False)  # start, three words, end
    torch.testing.assert_close(short[0], both[0, :5])


def test_the_mask_token_is_in_no_text() -> None:
    built = tiny.towers()
    texts = [
        "a red cat",
        "ÿ þ 日本 é",
        "".join(map(chr, range(32, 127))),
        "".join(map(chr, range(160, 256))),
    ]
    tokens = [token for text in texts for token in built.tokenizer.encode(text)]
    assert built.mask_token not in tokens and built.mask_token < built.vocab_size


def test_a_tokenizer_without_a_mask_token() -> None:
    plain = tiny.towers()
    built = OpenCLIPTowers(plain.model, lambda texts: plain.tokenizer(texts))
    with pytest.raises(UserError, match="mask"):
        built.mask_token  # noqa: B018
