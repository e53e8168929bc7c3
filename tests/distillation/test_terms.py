"""Every term in the detector: alone, combined, with nothing in the batch, with nothing loaded."""

import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.distillation.batch import DistillInputs, DistillRegions
from ovdistill.distillation.hierkd.loss import attend
from ovdistill.distillation.hierkd.term import HierKDRegionGlobalTerm
from ovdistill.distillation.overlap import image_iou

from ..batches import D, batch, build, losses_of, words

TERMS = {
    "ViLDTerm": ({}, {"loss_vild_image"}),
    "HierKDInstanceTerm": (dict(min_overlap=0.0), {"loss_hierkd_instance"}),
    "HierKDGlobalTerm": (dict(in_channels=48), {"loss_hierkd_global"}),
    "HierKDRegionGlobalTerm": ({}, {"loss_hierkd_region"}),
    "RKDTerm": ({}, {"loss_rkd_point", "loss_rkd_relation"}),
    "RKDPseudoLabelTerm": (dict(min_similarity=-2.0), {"loss_rkd_pseudo"}),
    "VouchTerm": (dict(min_objectness=0.0), {"loss_vouch_image", "loss_vouch_contest"}),
    "RegionWordCaptionTerm": ({}, {"loss_region_word_caption"}),
}
ALL = [dict(type=name, **options) for name, (options, _) in TERMS.items()]


@pytest.mark.parametrize("name", TERMS)
def test_a_term_alone_trains_the_backbone(name):
    options, expected = TERMS[name]
    model = build("vild_r18_shapes", words(7), distillers=[dict(type=name, **options)])
    data = model.data_preprocessor(batch((3, 2)), True)
    losses = model.train()(**data, mode="loss")
    own = [losses[key] for key in expected]
    detection = {"loss_rpn_cls", "loss_rpn_bbox", "loss_cls", "loss_bbox", "loss_mask"}
    assert {key for key in losses if key.startswith("loss_")} == detection | expected
    assert all(loss.isfinite() and loss > 0 for loss in own), own
    sum(own).backward()
    assert sum(p.grad.abs().sum() for p in model.backbone.parameters() if p.grad is not None) > 0


def test_all_terms_together_reach_every_weight():
    model = build("vild_r18_shapes", words(7), distillers=ALL)
    loss, logged = losses_of(model, batch())
    assert set().union(*(expected for _, expected in TERMS.values())) <= set(logged)
    loss.backward()
    assert [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None] == []
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize("image_head", ["vild_r18_shapes", "vild_ensemble_r18_shapes"])
@pytest.mark.parametrize("boxes", [(0, 0), (2, 1)])
def test_no_region_and_no_phrase_keep_every_weight_in_the_graph(image_head, boxes):
    model = build(image_head, words(7), distillers=ALL)
    loss, logged = losses_of(model, batch((0, 0), boxes, phrases=0))
    loss.backward()
    assert loss.isfinite()
    assert [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None] == []
    zero = {key for key in logged if key.startswith("loss_") and logged[key] == 0}
    regions = {"loss_vild_image", "loss_hierkd_instance", "loss_rkd_point", "loss_rkd_relation"}
    assert regions | {"loss_rkd_pseudo", "loss_region_word_caption"} <= zero


@pytest.mark.parametrize(
    ("name", "field", "loader"),
    [
        ("ViLDTerm", "teacher_regions", "LoadTeacherRegions"),
        ("HierKDGlobalTerm", "teacher_caption", "LoadTeacherCaption"),
    ],
)
def test_what_is_not_loaded_is_named(name, field, loader):
    model = build("vild_r18_shapes", words(7), distillers=[dict(type=name)])
    data = batch()
    for sample in data["data_samples"]:
        delattr(sample, field)
    with pytest.raises(UserError, match=loader):
        losses_of(model, data)


def test_captions_attend_the_regions_of_each_image():
    term = HierKDRegionGlobalTerm(max_regions=3)
    student = torch.nn.functional.normalize(torch.randn(3, D), dim=1)
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
    expected = torch.nn.functional.normalize((weight * student[1:]).sum(0), dim=0)
    assert torch.allclose(seen[0, 2], expected, atol=1e-6)


def test_instance_level_takes_regions_of_labelled_objects_only():
    term = dict(type="HierKDInstanceTerm", min_overlap=0.5, loss_weight=1.0)
    model = build("vild_r18_shapes", words(7), distillers=[term])
    far = torch.tensor([[50.0, 50, 64, 64]])
    for near, expected in ((0, False), (1, True)):
        data = batch((1, 1), (1, 1))
        for number, sample in enumerate(data["data_samples"]):
            sample.gt_instances.bboxes = torch.tensor([[0.0, 0, 40, 40]])
            inside = sample.gt_instances.bboxes + 2
            sample.teacher_regions.bboxes = inside if number < near else far
        data = model.data_preprocessor(data, True)
        losses = model.train()(**data, mode="loss")
        assert (losses["loss_hierkd_instance"] > 0) == expected
        assert losses["loss_hierkd_instance"] <= 2  # the diameter of the sphere


def test_iou_is_zero_across_images():
    box = torch.tensor([[0.0, 0, 10, 10]])
    others = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 10], [5, 0, 15, 10], [3, 3, 3, 3]])
    iou = image_iou(box, torch.tensor([1]), others, torch.tensor([0, 1, 1, 1]))
    assert iou.tolist()[0] == pytest.approx([0, 1, 1 / 3, 0])


def test_a_term_that_would_hide_another_is_refused():
    model = build("vild_r18_shapes", words(7), distillers=[dict(type="ViLDTerm")] * 2)
    with pytest.raises(UserError, match="loss_vild_image"):
        losses_of(model, batch())
