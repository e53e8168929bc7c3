"""Boxes named by the teacher: pixels, order and words are those of the detector."""

import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.distillation.vild.loss import ensemble_log_scores
from ovdistill.models.teacher_on_crops import TeacherOnCrops
from ovdistill.teacher import build_teacher
from ovdistill.vocabulary import TEMPLATES, Vocabulary

from ..batches import batch, build


@pytest.fixture(scope="module")
def teacher():
    return build_teacher(dict(model="ovshapes"))


@pytest.fixture
def model(teacher):
    names = ["striped star", "solid ring", "dotted heart"]
    is_base = torch.tensor([True, True, False])
    words = Vocabulary.encode(names, teacher, TEMPLATES["single"], is_base)
    return build("vild_r18_shapes", words).eval()


def test_crops_are_the_images_pixels(model, teacher):
    images = torch.randint(0, 255, (2, 3, 64, 64), dtype=torch.uint8)
    data = model.data_preprocessor(dict(inputs=list(images), data_samples=None), False)
    crops = TeacherOnCrops(teacher, model.data_preprocessor)
    crops.look_at(data["inputs"])
    boxes = torch.tensor([[4.0, 4, 40, 40], [0, 10, 30, 60], [-9, 20, 90, 50]])
    index = torch.tensor([0, 1, 1])
    words = model.vocabulary.embeddings
    found = crops(boxes, index, words)
    inside = torch.tensor([[4.0, 4, 40, 40], [0, 10, 30, 60], [0, 20, 63, 50]])
    for row, (box, image) in enumerate(zip(inside, index, strict=True)):
        rgb = images[image].flip(0)  # images are read as BGR
        embedding = teacher.encode_regions(rgb, box[None])
        expected = (embedding @ words.T / teacher.temperature).log_softmax(dim=1)[0]
        assert torch.allclose(found[row], expected, atol=1e-3)


def test_boxes_without_area_and_images_without_boxes(model, teacher):
    crops = TeacherOnCrops(teacher, model.data_preprocessor)
    crops.look_at(torch.zeros(3, 3, 64, 64))
    boxes = torch.tensor([[70.0, 70, 80, 80], [5, 5, 5, 9]])
    found = crops(boxes, torch.tensor([1, 1]), model.vocabulary.embeddings)
    assert found.shape == (2, 3) and found.isfinite().all()


def test_the_detector_combines_both_as_an_ensemble(model, teacher, monkeypatch):
    crops = TeacherOnCrops(teacher, model.data_preprocessor)
    x = model.extract_feat(torch.randn(1, 3, 64, 64))
    rois = torch.tensor([[0.0, 4, 4, 30, 30], [0, 10, 20, 50, 60]])
    with torch.no_grad():
        alone = model.roi_head._bbox_forward(x, rois)["cls_score"]
        crops.look_at(torch.randn(1, 3, 64, 64))
        model.set_crop_teacher(crops)
        both = model.roi_head._bbox_forward(x, rois)
        boxes = model.roi_head.bbox_head.bbox_coder.decode(rois[:, 1:], both["bbox_pred"])
        named = crops(boxes, torch.tensor([0, 0]), model.vocabulary.embeddings)
    expected = ensemble_log_scores(alone[:, :-1], named, model.vocabulary.is_base)
    assert torch.allclose(both["cls_score"][:, :-1], expected, atol=1e-4)
    assert torch.allclose(both["cls_score"][:, -1], alone[:, -1])
    assert not any("crop_teacher" in key for key in model.state_dict())


def test_whole_predictions_run_and_can_go_back(model, teacher):
    data = batch()
    with torch.no_grad():
        before = model.test_step(data)
        model.set_crop_teacher(TeacherOnCrops(teacher, model.data_preprocessor))
        named = model.test_step(data)
        model.set_crop_teacher(None)
        after = model.test_step(data)
    scores = [[o.pred_instances.scores for o in outputs] for outputs in (before, named, after)]
    assert all(s.isfinite().all() for s in scores[1])
    assert all(torch.equal(a, b) for a, b in zip(scores[0], scores[2], strict=True))
    assert not all(
        len(a) == len(b) and torch.allclose(a, b) for a, b in zip(scores[0], scores[1], strict=True)
    )


def test_another_teacher_than_that_of_the_words_is_refused(model):
    other = build_teacher(dict(model="ovshapes", random_weights=True))
    with pytest.raises(
        UserError, match=r"got teacher ovshapes-rn:random .*words are of teacher ovshapes"
    ):
        model.set_crop_teacher(TeacherOnCrops(other, model.data_preprocessor))
    assert model.roi_head.crop_teacher is None
