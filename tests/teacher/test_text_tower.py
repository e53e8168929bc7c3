"""The open text tower against open_clip's own encode_text."""

import open_clip
import pytest
import torch

from ovdistill.core.assets import TEACHER_DIR
from ovdistill.core.errors import UserError
from ovdistill.ovshapes.categories import category_names
from ovdistill.teacher import OpenCLIPTeacher, Teacher
from ovdistill.teacher.text_tower import TextTower

TEXTS = ["a", "a photo of a striped star.", "itap of many speaker (stereo equipment)."]


@pytest.fixture(scope="module")
def teacher():
    return OpenCLIPTeacher(str(TEACHER_DIR))


def difference(model, tokenizer, texts):
    tower = TextTower(model.requires_grad_(False).eval(), tokenizer)
    embedded, lengths = tower.token_embeddings(texts)
    with torch.inference_mode():
        own = tower.encode_embedded(embedded, lengths)
        expected = model.encode_text(tokenizer(texts))
    assert own.shape == expected.shape and expected.std() > 0.01
    return (own - expected).abs().max().item()


def test_equals_encode_text_of_the_embedded_teacher(teacher):
    texts = TEXTS + [f"This is a photo of the {name}." for name in category_names()]
    assert difference(teacher.model, teacher.tokenizer, texts) < 1e-5


@pytest.mark.parametrize("custom", [False, True])
def test_equals_encode_text_of_vit_b_32(custom):
    model = open_clip.create_model("ViT-B-32", load_weights=False, force_custom_text=custom)
    assert type(model).__name__ == ("CustomTextCLIP" if custom else "CLIP")
    assert difference(model, open_clip.get_tokenizer("ViT-B-32"), TEXTS) < 1e-5


def test_a_named_end_of_text_and_a_projection_with_a_bias():
    config = dict(open_clip.get_model_config("ViT-B-32"))
    tokenizer = open_clip.get_tokenizer("ViT-B-32")
    config["text_cfg"] = dict(
        config["text_cfg"], layers=1, pool_type="eos", eos_id=tokenizer.eot_token_id, proj_bias=True
    )
    config["vision_cfg"] = dict(config["vision_cfg"], layers=1)
    model = open_clip.CustomTextCLIP(**config)
    assert difference(model, tokenizer, TEXTS) < 1e-5


def test_padding_is_cut_and_lengths_count_start_and_end(teacher):
    embedded, lengths = teacher.text_tower().token_embeddings(["striped star", "a red star."])
    assert lengths.tolist() == [4, 6]
    assert embedded.shape == (2, 6, 96)


def test_what_stands_behind_the_end_has_no_effect(teacher):
    tower = teacher.text_tower()
    embedded, lengths = tower.token_embeddings(["star", "a photo of a star."])
    changed = embedded.clone()
    changed[0, 3:] = 7
    own, other = (tower.encode_embedded(e, lengths) for e in (embedded, changed))
    torch.testing.assert_close(own, other)
    changed[0, 1] = 7
    assert not torch.allclose(own[0], tower.encode_embedded(changed, lengths)[0])


def test_gradients_reach_the_token_embeddings_and_no_weight(teacher):
    tower = teacher.text_tower()
    embedded, lengths = tower.token_embeddings(["star"])
    embedded.requires_grad_()
    tower.encode_embedded(embedded, lengths).sum().backward()
    assert (embedded.grad.abs().sum(dim=-1) > 0).all()
    assert all(p.grad is None for p in teacher.parameters())


def test_a_text_that_is_too_long(teacher):
    with pytest.raises(UserError, match=r"1 texts are longer than the 32 tokens .*'star star"):
        teacher.text_tower().token_embeddings(["star", "star " * 31])
    with pytest.raises(UserError, match="1 texts are longer"):
        teacher.text_tower().token_embeddings(["star", "star " * 500])
    assert teacher.text_tower().token_embeddings(["star " * 30])[1].tolist() == [32]


@pytest.mark.parametrize(
    "text_cfg",
    [
        dict(no_causal_mask=True),
        dict(pool_type="last"),
        dict(embed_cls=True),
    ],
)
def test_other_text_towers_are_refused(text_cfg):
    config = dict(open_clip.get_model_config("ViT-B-32"))
    config["text_cfg"] = dict(config["text_cfg"], layers=1, width=64, heads=2, **text_cfg)
    config["vision_cfg"] = dict(config["vision_cfg"], layers=1)
    model = open_clip.CustomTextCLIP(**config)
    with pytest.raises(UserError, match="'t' has a text tower .TextTransformer. that is not CLIP"):
        TextTower(model, open_clip.get_tokenizer("ViT-B-32"), "t")


def test_a_teacher_of_ones_own_has_none():
    class Own(Teacher):
        name = "own"

        def encode_text(self, texts, batch_size=256):
            return torch.ones(len(texts), 2)

        def encode_images(self, images):
            return torch.ones(len(images), 2)

    with pytest.raises(UserError, match="'own' .Own. has no text tower to learn prompts"):
        Own().text_tower()
