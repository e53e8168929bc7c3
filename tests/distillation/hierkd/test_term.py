"""HierKD's terms: which regions count, and what a caption attends to."""

import pytest
import torch
from torch.nn.functional import normalize

from ovdistill.distillation.batch import DistillInputs, DistillRegions
from ovdistill.distillation.hierkd.loss import attend
from ovdistill.distillation.hierkd.term import (
    HierKDGlobalTerm,
    HierKDInstanceTerm,
    HierKDRegionGlobalTerm,
)

from ...batches import D, batch, build, loss_dict, make_vocabulary


def test_captions_attend_the_regions_of_each_image():
    term = HierKDRegionGlobalTerm(max_regions=3)
    student = normalize(torch.randn(3, D), dim=1)
    index = torch.tensor([0, 2, 2])
    blank = torch.zeros(3)
    regions = DistillRegions(student, student, torch.zeros(3, 4), blank, index, blank)
    patches = term.patches(DistillInputs(3, None, (), None, regions, None))
    assert patches.shape == (3, 3, D)
    assert torch.equal(patches[0, 0], student[0]) and torch.equal(patches[2, :2], student[1:])
    assert patches.abs().sum() == pytest.approx(student.abs().sum().item(), rel=1e-5)
    # of more regions than there are places, the first take part
    first = HierKDRegionGlobalTerm(max_regions=1).patches(
        DistillInputs(3, None, (), None, regions, None)
    )
    assert first.shape == (3, 1, D) and torch.equal(first[:, 0], patches[:, 0])
    # an empty place draws attention, but adds nothing: the mean is that of the regions
    text = student[1:2]
    seen = attend(patches, text)
    assert torch.allclose(seen[0, 0], student[0], atol=1e-6)
    weight = (student[1:] @ text.T).exp()
    expected = normalize((weight * student[1:]).sum(0), dim=0)
    assert torch.allclose(seen[0, 2], expected, atol=1e-6)


def test_patches_of_a_pyramid_are_its_largest_values():
    term = HierKDGlobalTerm(grid=1)
    level = torch.zeros(1, 2, 2, 2)
    level[0, :, 0, 0] = torch.tensor([3.0, 4.0])
    level[0, :, 1, 1] = torch.tensor([4.0, 3.0])
    patches = term.patches(DistillInputs(1, None, (level, level[..., :1]), None, None, None))
    # of both unit vectors (0.6, 0.8) and (0.8, 0.6) the larger entries, and of one alone
    expected = torch.tensor([[0.5**0.5, 0.5**0.5], [0.6, 0.8]])
    assert torch.allclose(patches[0], expected)


def test_instance_level_is_a_mean_over_the_levels_of_a_one_stage_detector():
    student, teacher = torch.eye(4)[[0, 1, 2]], torch.eye(4)[[0, 2, 3]]  # distances 0, 2, 2 in L1
    boxes, ones, index = torch.zeros(3, 4), torch.ones(3), torch.zeros(3, dtype=torch.long)
    for level, expected in ((None, 4 / 3), (torch.tensor([0, 0, 1]), (1 + 2 + 0) / 3)):
        regions = DistillRegions(student, teacher, boxes, ones, index, ones, level)
        inputs = DistillInputs(1, None, (boxes, boxes, boxes), None, regions, None)
        losses = HierKDInstanceTerm(loss_weight=1.0, norm=1)(inputs)
        assert losses["loss_hierkd_instance"].item() == pytest.approx(expected)


def test_instance_level_takes_regions_of_labelled_objects_only():
    term = dict(type="HierKDInstanceTerm", min_overlap=0.5, loss_weight=1.0)
    model = build("vild_r18_shapes", make_vocabulary(7), distillers=[term])
    far = torch.tensor([[50.0, 50, 64, 64]])
    for near, expected in ((0, False), (1, True)):
        data = batch((1, 1), (1, 1))
        for number, sample in enumerate(data["data_samples"]):
            sample.gt_instances.bboxes = torch.tensor([[0.0, 0, 40, 40]])
            inside = sample.gt_instances.bboxes + 2
            sample.teacher_regions.bboxes = inside if number < near else far
        losses = loss_dict(model, data)
        assert (losses["loss_hierkd_instance"] > 0) == expected
        assert losses["loss_hierkd_instance"] <= 2  # the diameter of the sphere
