"""What terms see of a batch: rows in order of the images, and errors for what is not loaded."""

import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.distillation.gather import gather_captions, gather_regions, region_rois

from ..batches import D, batch, build, losses_of, make_vocabulary


def test_regions_keep_their_image():
    samples = batch((2, 0, 1), (1, 1, 1))["data_samples"]
    rois = region_rois(samples)
    assert rois[:, 0].tolist() == [0, 0, 2]
    boxes = torch.cat([sample.teacher_regions.bboxes for sample in samples])
    assert torch.equal(rois[:, 1:], boxes)
    student = torch.randn(3, D)
    regions = gather_regions(samples, rois, student)
    assert regions.student is student and regions.image_index.tolist() == [0, 0, 2]
    assert torch.equal(regions.teacher[2:], samples[2].teacher_regions.embeddings)
    assert torch.equal(regions.objectness[:2], samples[0].teacher_regions.objectness)


def test_overlap_is_with_the_best_labelled_box_of_the_same_image():
    samples = batch((2, 1), (2, 1))["data_samples"]
    samples[0].teacher_regions.bboxes = torch.tensor([[0.0, 0, 10, 10], [40, 40, 50, 50]])
    samples[0].gt_instances.bboxes = torch.tensor([[0.0, 0, 10, 5], [0, 0, 10, 20]])
    samples[1].teacher_regions.bboxes = torch.tensor([[0.0, 0, 10, 5]])
    samples[1].gt_instances.bboxes = torch.tensor([[40.0, 40, 50, 50]])
    regions = gather_regions(samples, region_rois(samples), torch.zeros(3, D))
    assert regions.overlap.tolist() == pytest.approx([0.5, 0, 0])


@pytest.mark.parametrize(("regions", "boxes"), [((0, 0), (1, 1)), ((2, 1), (0, 0))])
def test_images_without_regions_or_boxes(regions, boxes):
    samples = batch(regions, boxes)["data_samples"]
    rois = region_rois(samples)
    assert rois.shape == (sum(regions), 5)
    found = gather_regions(samples, rois, torch.zeros(sum(regions), D))
    assert found.overlap.tolist() == [0] * sum(regions)


def test_captions_and_phrases_keep_their_image():
    samples = batch(phrases=2)["data_samples"]
    captions = gather_captions(samples)
    assert captions.embeddings.shape == (2, D)
    assert captions.phrase_index.tolist() == [0, 0, 1, 1]
    assert torch.equal(captions.phrases[2:], samples[1].teacher_phrases.embeddings)
    assert gather_captions(batch(phrases=0)["data_samples"]).phrases.shape == (0, D)


@pytest.mark.parametrize(
    ("name", "field", "loader"),
    [
        ("ViLDTerm", "teacher_regions", "LoadTeacherRegions"),
        ("HierKDGlobalTerm", "teacher_caption", "LoadTeacherCaption"),
    ],
)
def test_what_is_not_loaded_is_named(name, field, loader):
    model = build("vild_r18_shapes", make_vocabulary(7), distillers=[dict(type=name)])
    data = batch()
    for sample in data["data_samples"]:
        delattr(sample, field)
    with pytest.raises(UserError, match=loader):
        losses_of(model, data)
