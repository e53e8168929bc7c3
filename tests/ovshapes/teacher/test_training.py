import numpy as np
import open_clip
import pytest
import torch
from open_clip.tokenizer import SimpleTokenizer

from ovdistill.core.errors import UserError
from ovdistill.ovshapes import teacher_training
from ovdistill.ovshapes.categories import category_names
from ovdistill.ovshapes.teacher.data import (
    CATEGORY,
    NUM_KINDS,
    CropSampler,
    jitter,
    kind_of,
    make_pool,
    phrase,
)
from ovdistill.ovshapes.teacher.tokenizer import learn_merges, merges_file, vocabulary_size
from ovdistill.teacher import CropPolicy, OpenCLIPTeacher


@pytest.fixture(scope="module")
def pool():
    """All 520 kinds in 40 images of noise: enough for the mechanics."""
    rng = np.random.default_rng(0)
    images = []
    for start in range(0, NUM_KINDS, 13):
        image = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
        objects = [
            (np.array([4, 4, 40, 30], np.float32), kind) for kind in range(start, start + 13)
        ]
        images.append((image, "a red star", objects))
    return make_pool(images)


def test_kinds_and_phrases():
    kind = kind_of("red", "striped", "star")
    assert phrase(kind) == "red striped star"
    names = [phrase(k, CATEGORY) for k in range(NUM_KINDS)]
    assert tuple(names[:65]) == category_names()


def test_batch_has_every_category_equally_often_and_no_kind_twice(pool):
    sampler = CropSampler(pool, 2, 32, CropPolicy(), seed=0)
    crops, kinds = sampler.crops()
    assert crops.shape == (130, 3, 32, 32)
    assert 0 <= crops.min() and crops.max() <= 1
    assert len(set(kinds)) == 130
    assert np.bincount(kinds % 65).tolist() == [2] * 65
    again, same = CropSampler(pool, 2, 32, CropPolicy(), seed=0).crops()
    assert torch.equal(crops, again) and (kinds == same).all()


def test_pool_without_a_kind_is_refused(pool):
    small = make_pool([(np.zeros((8, 8, 3), np.uint8), "", [(np.zeros(4, np.float32), 3)])])
    with pytest.raises(UserError, match="519 of 520 kinds"):
        CropSampler(small, 1, 32, CropPolicy(), seed=0)


def test_jitter_stays_within_its_bounds():
    boxes = torch.tensor([[10.0, 10, 30, 50]]).repeat(500, 1)
    moved = jitter(boxes, torch.Generator().manual_seed(0), exact_share=0.0)
    side = moved[:, 2:] - moved[:, :2]
    shift = ((moved[:, 2:] + moved[:, :2]) / 2 - torch.tensor([20.0, 30.0])).abs()
    assert (side / torch.tensor([20.0, 40.0]) - 1).amin() >= 1 / 1.25 - 1 - 1e-5
    assert (side / torch.tensor([20.0, 40.0])).amax() <= 1.25 + 1e-5
    assert (shift <= 0.12 * torch.tensor([20.0, 40.0]) + 1e-4).all()
    assert torch.equal(jitter(boxes, torch.Generator(), exact_share=1.0), boxes)


def test_group_loss_has_no_false_negatives():
    generator = torch.Generator().manual_seed(0)
    image, text = torch.nn.functional.normalize(torch.randn(2, 4, 8, generator=generator), dim=-1)
    labels, scale = [0, 1, 0, 1], torch.tensor(5.0)
    loss = teacher_training.group_loss(image, text[:2], labels, scale)
    clip = open_clip.ClipLoss()
    expected = (clip(image[:2], text[:2], scale) + clip(image[2:], text[:2], scale)) / 2
    torch.testing.assert_close(loss, expected)


def test_a_trained_directory_loads_as_a_teacher(tmp_path, pool):
    merges = learn_merges(teacher_training.words())
    (tmp_path / "bpe.txt.gz").write_bytes(merges_file(merges))
    tokenizer = SimpleTokenizer(str(tmp_path / "bpe.txt.gz"), context_length=32)
    config = teacher_training.model_config(vocabulary_size(merges))
    config["vision_cfg"] |= {"image_size": 32}
    models = [teacher_training.fit(config, tokenizer, pool, 2, 65, seed) for seed in (0, 0, 1)]
    teacher_training.write_teacher(tmp_path, models[0], config)
    teacher = OpenCLIPTeacher(str(tmp_path))
    tokens = tokenizer(["a red star"])
    with torch.no_grad():
        own, same, other = (model.encode_text(tokens, normalize=True) for model in models)
    torch.testing.assert_close(teacher.encode_text(["a red star"]), own, atol=5e-3, rtol=0)
    assert torch.equal(own, same) and not torch.allclose(own, other)


@pytest.mark.parametrize("bad", [{"batch": 100}, {"batch": 585}, {"steps": 0}, {"pool": 0}])
def test_bad_arguments(tmp_path, bad):
    with pytest.raises(UserError, match="expected"):
        teacher_training.train_teacher(tmp_path, **bad)
