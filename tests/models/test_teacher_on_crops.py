"""Boxes classified by the teacher: pixels, order and classes are those of the detector."""

from functools import partial

import pytest
import torch
from mmengine.structures import InstanceData

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
    vocabulary = Vocabulary.encode(names, teacher, TEMPLATES["single"], is_base)
    return build("vild_r18_shapes", vocabulary).eval()


def test_crops_are_the_images_pixels(model, teacher):
    images = torch.randint(0, 255, (2, 3, 64, 64), dtype=torch.uint8)
    data = model.data_preprocessor(dict(inputs=list(images), data_samples=None), False)
    crops = TeacherOnCrops(teacher, model.data_preprocessor)
    pixels = crops.pixels(data["inputs"])
    assert torch.allclose(torch.stack(pixels), images.flip(1) / 255, atol=1e-4)
    boxes = torch.tensor([[4.0, 4, 40, 40], [0, 10, 30, 60], [-9, 20, 90, 50]])
    index = torch.tensor([0, 1, 1])
    texts = model.vocabulary.embeddings
    found = crops(pixels, boxes, index, texts)
    inside = torch.tensor([[4.0, 4, 40, 40], [0, 10, 30, 60], [0, 20, 63, 50]])
    for row, (box, image) in enumerate(zip(inside, index, strict=True)):
        rgb = images[image].flip(0)  # images are read as BGR
        embedding = teacher.encode_regions(rgb, box[None])
        expected = (embedding @ texts.T / teacher.temperature).log_softmax(dim=1)[0]
        assert torch.allclose(found[row], expected, atol=1e-3)


def test_boxes_without_area_and_images_without_boxes(model, teacher):
    crops = TeacherOnCrops(teacher, model.data_preprocessor)
    pixels = crops.pixels(torch.zeros(3, 3, 64, 64))
    boxes = torch.tensor([[70.0, 70, 80, 80], [5, 5, 5, 9]])
    found = crops(pixels, boxes, torch.tensor([1, 1]), model.vocabulary.embeddings)
    assert found.shape == (2, 3) and found.isfinite().all()


def test_the_detector_combines_both_as_an_ensemble(model, teacher):
    crops = TeacherOnCrops(teacher, model.data_preprocessor)
    x = model.extract_feat(torch.randn(1, 3, 64, 64))
    rois = torch.tensor([[0.0, 4, 4, 30, 30], [0, 10, 20, 50, 60]])
    score_crops = partial(crops, crops.pixels(torch.randn(1, 3, 64, 64)))
    with torch.no_grad():
        alone = model.roi_head._bbox_forward(x, rois)["cls_score"]
        both = model.roi_head._add_crop_scores(score_crops, rois, alone)
        classified = score_crops(rois[:, 1:], torch.tensor([0, 0]), model.vocabulary.embeddings)
    expected = ensemble_log_scores(alone[:, :-1], classified, model.vocabulary.is_base)
    assert torch.allclose(both[:, :-1], expected, atol=1e-4)
    assert torch.equal(both[:, -1], alone[:, -1])


def test_the_teacher_is_not_in_the_checkpoint(model, teacher):
    before = set(model.state_dict())
    model.set_crop_teacher(TeacherOnCrops(teacher, model.data_preprocessor))
    assert set(model.state_dict()) == before


def test_given_proposals_replace_those_of_the_rpn(model, teacher):
    crops = TeacherOnCrops(teacher, model.data_preprocessor)
    seen = []

    class Recorder:
        pixels = staticmethod(crops.pixels)

        def __call__(self, pixels, boxes, image_index, texts):
            seen.append((image_index.tolist(), boxes))
            return crops(pixels, boxes, image_index, texts)

    model.crop_teacher = Recorder()
    data = batch()
    for count, sample in enumerate(data["data_samples"], start=1):
        boxes = torch.tensor([[4.0, 4, 30, 30]]).repeat(count, 1)
        sample.proposals = InstanceData(bboxes=boxes, scores=torch.ones(count))
    with torch.no_grad():
        model.roi_head.test_cfg["second_look"] = None
        model.test_step(data)
        # of equal boxes one is looked at again; only the final boxes are cut out
        model.roi_head.test_cfg["second_look"] = dict(iou=0.9, most=60)
        model.test_step(data)
    assert [index for index, _ in seen] == [[0, 1, 1], [0, 1]]
    assert not torch.equal(seen[0][1][:2], seen[1][1])


def test_no_proposal_is_no_detection(model, teacher):
    model.set_crop_teacher(TeacherOnCrops(teacher, model.data_preprocessor))
    data = batch()
    for sample in data["data_samples"]:
        sample.proposals = InstanceData(bboxes=torch.zeros(0, 4), scores=torch.zeros(0))
    with torch.no_grad():
        outputs = model.test_step(data)
    assert [len(output.pred_instances) for output in outputs] == [0, 0]


def test_whole_predictions_run_and_can_go_back(model, teacher):
    data = batch()
    with torch.no_grad():
        before = model.test_step(data)
        model.set_crop_teacher(TeacherOnCrops(teacher, model.data_preprocessor))
        both = model.test_step(data)
        model.set_crop_teacher(None)
        after = model.test_step(data)
    scores = [[o.pred_instances.scores for o in outputs] for outputs in (before, both, after)]
    assert all(s.isfinite().all() for s in scores[1])
    assert all(torch.equal(a, b) for a, b in zip(scores[0], scores[2], strict=True))
    assert not all(
        len(a) == len(b) and torch.allclose(a, b) for a, b in zip(scores[0], scores[1], strict=True)
    )


def test_another_teacher_than_that_of_the_vocabulary_is_refused(model):
    other = build_teacher(dict(model="ovshapes", random_weights=True))
    with pytest.raises(
        UserError, match=r"got teacher ovshapes-rn:random .*vocabulary is of teacher ovshapes"
    ):
        model.set_crop_teacher(TeacherOnCrops(other, model.data_preprocessor))
    assert model.crop_teacher is None
