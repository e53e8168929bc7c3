"""Boxes classified by the teacher: pixels, order and classes are those of the detector."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from PIL import Image

from ovdistill.core.errors import UserError
from ovdistill.distillation.vild.loss import ensemble_log_scores
from ovdistill.extraction.extract import ExtractionSettings, extract
from ovdistill.extraction.images import ImageFile
from ovdistill.extraction.proposal_source import ProposalSource
from ovdistill.models.teacher_on_crops import TeacherOnCrops
from ovdistill.store import TeacherStore
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


def write_image(path, size):
    """An image of smooth colours, (width, height) pixels."""
    small = np.random.default_rng(sum(size)).integers(0, 256, (9, 9, 3), np.uint8)
    Image.fromarray(small).resize(size, Image.BICUBIC).save(path)
    return str(path)


@pytest.fixture
def data(tmp_path):
    """A batch of two images of 64 px, each of a file of 32 px."""
    made = batch()
    for number, sample in enumerate(made["data_samples"]):
        path = write_image(tmp_path / f"{number}.png", (32, 32))
        sample.set_metainfo(dict(img_path=path))
    return made


class Boxes(ProposalSource):
    """The same boxes for every image."""

    provenance = dict(kind="test", source="test", hash="")

    def __init__(self, boxes):
        self.boxes = boxes

    def propose(self, images):
        return [(self.boxes, torch.ones(len(self.boxes))) for _ in images]


def test_embeddings_are_those_of_an_extraction(teacher, tmp_path):
    sizes = [(40, 24), (300, 210), (128, 128)]  # enlarged, reduced, and as they are
    files = [
        ImageFile(number, write_image(tmp_path / f"{number}.png", size), size[::-1])
        for number, size in enumerate(sizes)
    ]
    # the last one reaches over the edge of two images
    boxes = torch.tensor([[3.2, 2.1, 17.4, 21.3], [0, 0, 9.7, 5.4], [20.3, 4.2, 90.6, 70.8]])
    store = tmp_path / "store"
    extract(files, Boxes(boxes), teacher, store, ExtractionSettings(workers=0))
    expected = [TeacherStore(store)[file.image_id].embeddings.float() for file in files]

    samples, seen = [], []
    for file, (width, height) in zip(files, sizes, strict=True):
        scale = 128 / max(width, height)
        shape = (round(height * scale), round(width * scale))
        factors = (shape[1] / width, shape[0] / height)
        meta = dict(img_path=file.path, ori_shape=file.size, img_shape=shape, scale_factor=factors)
        samples.append(SimpleNamespace(metainfo=meta))
        seen.append(boxes * torch.tensor(factors * 2))
    index = torch.arange(3).repeat_interleave(3)
    crops = TeacherOnCrops(teacher)
    images = crops.of_images(samples).args[0]
    found = crops.embed(images, torch.cat(seen), index)
    assert (found * torch.cat(expected)).sum(dim=1).min() > 0.9999


def test_classes_are_those_of_the_most_similar_texts(model, teacher, data):
    boxes = torch.tensor([[4.0, 4, 40, 40], [0, 10, 30, 60], [-9, 20, 90, 50]])
    index = torch.tensor([0, 1, 1])
    texts = model.vocabulary.embeddings
    found = TeacherOnCrops(teacher).of_images(data["data_samples"])(boxes, index, texts)
    inside = torch.tensor([[2.0, 2, 20, 20], [0, 5, 15, 30], [0, 10, 32, 25]])
    for row, (box, image) in enumerate(zip(inside, index, strict=True)):
        pixels = np.asarray(Image.open(data["data_samples"][image].img_path))
        embedding = teacher.encode_regions(torch.tensor(pixels).permute(2, 0, 1), box[None])
        expected = (embedding @ texts.T / teacher.temperature).log_softmax(dim=1)[0]
        assert torch.allclose(found[row], expected, atol=1e-3)


def test_images_without_boxes(model, teacher, data):
    score_crops = TeacherOnCrops(teacher).of_images(data["data_samples"])
    found = score_crops(torch.zeros(1, 4), torch.tensor([1]), model.vocabulary.embeddings)
    assert found.shape == (1, 3) and found.isfinite().all()


def test_the_detector_combines_both_as_an_ensemble(model, teacher, data):
    x = model.extract_feat(torch.randn(2, 3, 64, 64))
    rois = torch.tensor([[0.0, 4, 4, 30, 30], [0, 10, 20, 50, 60]])
    score_crops = TeacherOnCrops(teacher).of_images(data["data_samples"])
    with torch.no_grad():
        alone = model.roi_head._bbox_forward(x, rois)["cls_score"]
        both = model.roi_head._add_crop_scores(score_crops, rois, alone)
        classified = score_crops(rois[:, 1:], torch.tensor([0, 0]), model.vocabulary.embeddings)
    expected = ensemble_log_scores(alone[:, :-1], classified, model.vocabulary.is_base)
    assert torch.allclose(both[:, :-1], expected, atol=1e-4)
    assert torch.equal(both[:, -1], alone[:, -1])


def test_the_teacher_is_not_in_the_checkpoint(model, teacher):
    before = set(model.state_dict())
    model.set_crop_teacher(TeacherOnCrops(teacher))
    assert set(model.state_dict()) == before


def test_given_proposals_replace_those_of_the_rpn(model, teacher, data):
    seen = []

    class Recorder(TeacherOnCrops):
        def classify(self, images, boxes, image_index, texts):
            seen.append((image_index.tolist(), boxes))
            return super().classify(images, boxes, image_index, texts)

    model.set_crop_teacher(Recorder(teacher))
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


def test_no_proposal_is_no_detection(model, teacher, data):
    model.set_crop_teacher(TeacherOnCrops(teacher))
    for sample in data["data_samples"]:
        sample.proposals = InstanceData(bboxes=torch.zeros(0, 4), scores=torch.zeros(0))
    with torch.no_grad():
        outputs = model.test_step(data)
    assert [len(output.pred_instances) for output in outputs] == [0, 0]


def test_whole_predictions_run_and_can_go_back(model, teacher, data):
    with torch.no_grad():
        before = model.test_step(data)
        model.set_crop_teacher(TeacherOnCrops(teacher))
        both = model.test_step(data)
        model.set_crop_teacher(None)
        after = model.test_step(data)
    scores = [[o.pred_instances.scores for o in outputs] for outputs in (before, both, after)]
    assert all(s.isfinite().all() for s in scores[1])
    assert all(torch.equal(a, b) for a, b in zip(scores[0], scores[2], strict=True))
    assert not all(
        len(a) == len(b) and torch.allclose(a, b) for a, b in zip(scores[0], scores[1], strict=True)
    )


def test_images_in_memory_are_refused(model, teacher):
    model.set_crop_teacher(TeacherOnCrops(teacher))
    with torch.no_grad(), pytest.raises(UserError, match="no img_path"):
        model.test_step(batch())


def test_another_teacher_than_that_of_the_vocabulary_is_refused(model):
    other = build_teacher(dict(model="ovshapes", random_weights=True))
    with pytest.raises(
        UserError, match=r"got teacher ovshapes-rn:random .*vocabulary is of teacher ovshapes"
    ):
        model.set_crop_teacher(TeacherOnCrops(other))
    assert model.crop_teacher is None
