"""The segmentor on random images: losses, predictions, vocabularies."""

from __future__ import annotations

from copy import deepcopy
from functools import partial

import pytest
import torch
from mmengine.config import Config
from mmengine.structures import PixelData
from torch.nn.functional import avg_pool2d

from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.inference.model_kind import is_segmentor
from ovdistill.models.config import load_config
from ovdistill.segmentation.best_names import best_names, to_original
from ovdistill.segmentation.data.label_map import UNLABELLED
from ovdistill.segmentation.models import pixel_segmentor
from ovdistill.segmentation.models.pixel_segmentor import PixelSegmentor
from tests.batches import D, losses_of, make_vocabulary, without_gradient
from tests.segmentation.small import build, dense_teacher, labelled_batch

ALIGN = dict(type="PixelWordTerm")
DENSE = dict(type="PixelEmbeddingTerm")
PSEUDO = dict(type="PseudoLabelTerm", self_training_after=1)
REGIONS = dict(type="ViLDTerm")


@pytest.fixture
def vocabulary():
    return make_vocabulary(6, novel=2)


@pytest.mark.parametrize("terms", [[ALIGN], [ALIGN, DENSE], [PSEUDO], [ALIGN, REGIONS]])
def test_every_weight_learns_from_every_combination_of_terms(vocabulary, terms):
    model = build(vocabulary, distillers=terms)
    model.set_dense_teacher(dense_teacher())
    loss, logged = losses_of(model, labelled_batch())
    loss.backward()
    assert len(logged) == len(terms) + 1 and loss.isfinite()
    assert not without_gradient(model)


@pytest.mark.parametrize("recipe", ["lseg_r50_voc", "maskclip_plus_r50_voc"])
def test_every_weight_of_the_official_recipes_learns(vocabulary, recipe):
    """Else several processes wait for a gradient that never comes."""
    model = build(vocabulary, recipe)
    model.set_dense_teacher(dense_teacher())
    loss, _ = losses_of(model, labelled_batch())
    loss.backward()
    assert not without_gradient(model)


def test_the_teacher_sees_the_images_and_is_no_part_of_the_checkpoint(vocabulary):
    model = build(vocabulary, distillers=[DENSE])
    before = set(model.state_dict())
    teacher = dense_teacher(scale=2.0)
    model.set_dense_teacher(teacher)
    losses_of(model, labelled_batch())
    assert teacher.teacher.seen == [torch.Size([2, 3, 128, 128])]
    assert set(model.state_dict()) == before
    assert all(p.grad is None for p in teacher.teacher.parameters())


def test_a_term_that_needs_labelled_boxes_is_refused(vocabulary):
    with pytest.raises(UserError, match="HierKDInstanceTerm needs 'overlap'"):
        build(vocabulary, distillers=[dict(type="HierKDInstanceTerm")])


def test_a_term_of_the_teacher_needs_one(vocabulary):
    model = build(vocabulary, distillers=[DENSE])
    assert model.needs_dense_teacher
    with pytest.raises(UserError, match="BuildDenseTeacher"):
        losses_of(model, labelled_batch())
    other = dense_teacher()
    other.teacher.id = TeacherId("another")
    with pytest.raises(UserError, match="another"):
        model.set_dense_teacher(other)


def test_terms_of_detection_that_need_rois_are_refused(vocabulary):
    with pytest.raises(UserError, match="VouchTerm needs 'rois'"):
        build(vocabulary, distillers=[dict(type="VouchTerm")])


def predict(model, data):
    with torch.no_grad():
        return model.eval().test_step(data)


def test_predictions_have_the_size_of_the_image_and_rows_of_the_vocabulary(vocabulary):
    model = build(vocabulary)
    for sample in predict(model, labelled_batch()):
        assert sample.pred_sem_seg.sem_seg.shape == (1, 32, 32)
        assert sample.pred_sem_seg.sem_seg.dtype == torch.int64
        assert 0 <= sample.pred_sem_seg.sem_seg.min() <= sample.pred_sem_seg.sem_seg.max() < 6
        assert (sample.pred_sem_seg.scores > 0).all()


def test_labels_are_those_of_scores_at_full_size(vocabulary, monkeypatch):
    model, data = build(vocabulary).eval(), labelled_batch()
    with torch.no_grad():
        inputs = model.data_preprocessor(deepcopy(data), False)["inputs"]
        grid = model.pixel_head.log_scores(model.embed_pixels(inputs)).exp()
        size = dict(mode="bilinear", align_corners=False)
        whole = torch.nn.functional.interpolate(grid, size=(64, 64), **size)
        whole = torch.nn.functional.interpolate(whole, size=(32, 32), **size)
    parts = []

    def spy(part, meta):
        parts.append(len(part))
        return to_original(part, meta)

    monkeypatch.setattr(pixel_segmentor, "best_names", partial(best_names, most=2 * 64 * 64))
    monkeypatch.setattr(pixel_segmentor, "to_original", spy)
    found = torch.stack([s.pred_sem_seg.sem_seg[0] for s in predict(model, data)])
    assert torch.equal(found, whole.argmax(dim=1))
    assert parts == [2] * 6  # names of each image: the input is larger than the image


def test_class_names_can_be_replaced(vocabulary):
    model = build(vocabulary)
    model.set_vocabulary(make_vocabulary(30, novel=3))
    assert predict(model, labelled_batch())[0].pred_sem_seg.sem_seg.max() < 30
    assert not any("text_embeddings" in key for key in model.state_dict())
    with pytest.raises(UserError, match="width"):
        model.set_vocabulary(make_vocabulary(3, embed_dim=D + 1))


def test_padding_is_neither_labelled_nor_unlabelled(vocabulary):
    model, data = build(vocabulary), labelled_batch()
    data["inputs"][0] = data["inputs"][0][:, :32]
    sample = data["data_samples"][0]
    sample.gt_sem_seg = PixelData(sem_seg=sample.gt_sem_seg.sem_seg[:, :32])
    sample.set_metainfo(dict(img_shape=(32, 64)))
    seen = []
    model.distillers[0].forward = lambda inputs: seen.append(inputs.pixels) or {}
    model.train()(**model.data_preprocessor(data, True), mode="loss")
    (pixels,) = seen
    grid = pixels.inside.shape[1]
    assert grid == 32  # two pixels of the input for a position
    assert pixels.inside[0, :16].all() and not pixels.inside[0, 16:].any()
    assert pixels.inside[1].all()
    assert (pixels.labels[0, 16:] == -1).all() and (pixels.labels[0, :16] == 0).all()
    assert not pixels.unlabelled[0].any() and pixels.unlabelled[1, 16:].all()


def test_labels_and_the_teachers_embeddings_lie_where_the_pixels_do(vocabulary):
    """A red and a green half, flipped by the pipeline: what the terms see of each position."""
    model, data = build(vocabulary, distillers=[DENSE]), labelled_batch()
    image = torch.zeros(3, 64, 64, dtype=torch.uint8)  # BGR, as images are loaded
    image[2, :, :32], image[1, :, 32:] = 255, 255
    labels = torch.zeros(1, 64, 64, dtype=torch.int64)
    labels[..., 32:] = UNLABELLED
    for index, sample in enumerate(data["data_samples"]):  # the second one is flipped
        data["inputs"][index] = image.flip(-1) if index else image
        sample.gt_sem_seg = PixelData(sem_seg=labels.flip(-1) if index else labels)
    teacher = dense_teacher()
    model.set_dense_teacher(teacher)
    seen = []
    model.distillers[0].forward = lambda inputs: seen.append(inputs.pixels) or {}
    model.train()(**model.data_preprocessor(data, True), mode="loss")
    (pixels,) = seen
    flat = torch.eye(3)[:2, :, None, None].expand(2, 3, 8, 8)  # red and green, RGB
    with torch.no_grad():
        red, green = (
            (pixels.teacher * one).sum(dim=1) for one in teacher.teacher.encode_dense(flat)
        )
    torch.testing.assert_close((red > green), (pixels.labels == 0))
    assert torch.equal(pixels.unlabelled, pixels.labels < 0)
    assert torch.equal(pixels.labels[0], pixels.labels[1].flip(-1))
    assert pixels.teacher_temperature == teacher.teacher.temperature


def test_a_temperature_must_be_positive(vocabulary):
    head = load_config("lseg_r18_shapes").model.pixel_head
    with pytest.raises(UserError, match="temperature=0"):
        build(vocabulary, pixel_head=dict(head, temperature=0))


class Pooled(PixelSegmentor):
    """A segmentor whose features are the colours, without a backbone."""

    def __init__(self, vocabulary, pixel_head, **options):
        super().__init__(**options)
        pixel_head = dict(pixel_head, in_channels=3, end_level=1)
        self.init_pixels(vocabulary, pixel_head, [ALIGN], channels_last=False)

    def extract_feat(self, batch_inputs):
        return (avg_pool2d(batch_inputs, 4),)


def test_a_segmentor_of_ones_own_adds_features_alone(vocabulary):
    recipe = load_config("lseg_r18_shapes").model
    options = dict(data_preprocessor=recipe.data_preprocessor, pixel_head=recipe.pixel_head)
    model = Pooled(vocabulary, **options)
    losses_of(model, labelled_batch())[0].backward()
    assert not without_gradient(model)
    assert predict(model, labelled_batch())[0].pred_sem_seg.sem_seg.shape == (1, 32, 32)
    assert not [key for key in model.state_dict() if key.startswith(("backbone", "neck"))]
    assert is_segmentor(Config(dict(model=dict(type=Pooled))))
