"""Vouch in the detector: the weights of background RoIs, and its premise."""

import logging

import pytest
import torch

from ...batches import batch, build, losses_of, make_vocabulary


def vouch(**options):
    term = dict(type="VouchTerm", **options)
    model = build("vild_r18_shapes", make_vocabulary(7), distillers=[term])
    return model, model.roi_head.distillers[0]


def trusting(term):
    """Labelled objects have scored 1 so far, other regions 0."""
    term.calibration.counts[0, 0] = term.calibration.counts[1, -1] = 1000.0


def test_background_rois_on_a_sure_region_lose_their_weight():
    for soften in (0.0, 1.0):
        model, term = vouch(soften=soften, min_overlap=0.3)
        trusting(term)
        seen = []
        head = model.roi_head.bbox_head
        loss = head.loss
        head.loss = lambda *args, loss=loss, seen=seen: (seen.append(args[2:5]), loss(*args))[1]
        data = batch((1, 1), (0, 0))
        for sample in data["data_samples"]:  # a sure object as large as the image
            sample.teacher_regions.bboxes = torch.tensor([[0.0, 0, 64, 64]])
            sample.teacher_regions.objectness = torch.ones(1)
        torch.manual_seed(0)
        losses_of(model, data)
        ((rois, labels, weights),) = seen
        assert (labels == head.num_classes).all()
        area = (rois[:, 3:] - rois[:, 1:3]).clamp(min=0).prod(dim=1)
        matched = area / 64**2 >= 0.3  # RoIs lie inside the image
        assert 0 < matched.sum() < len(rois)
        assert torch.equal(weights, 1 - soften * matched.float())


def test_without_trust_it_is_vild():
    model, term = vouch()
    vild = build("vild_r18_shapes", make_vocabulary(7), distillers=[dict(type="ViLDTerm")])
    vild.set_vocabulary(model.vocabulary)
    vild.load_state_dict(model.state_dict(), strict=False)
    data = batch((3, 2), (0, 0))  # nothing is labelled, so nothing is known of the scores
    found = []
    for each in (model, vild):
        torch.manual_seed(0)
        found.append(losses_of(each, data)[1])
    for name, other in (("loss_vouch_image", "loss_vild_image"), ("loss_cls", "loss_cls")):
        assert float(found[0][name]) == pytest.approx(float(found[1][other]), rel=1e-5)


def test_a_premise_that_fails_is_said_once(caplog):
    model, term = vouch()
    term.steps = 198
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            losses_of(model, batch((3, 2), (0, 0)))
    assert sum("hardly tell" in message for message in caplog.messages) == 1
    caplog.clear()
    trusting(term)
    term.steps = 199
    with caplog.at_level(logging.WARNING):
        losses_of(model, batch((3, 2), (0, 0)))
    assert not caplog.messages


def test_the_calibration_is_part_of_a_checkpoint():
    _, term = vouch()
    assert "calibration.counts" in term.state_dict()


def test_images_without_boxes_say_nothing_of_objectness():
    model, term = vouch()
    data = batch((3, 2), (0, 0))
    for sample in data["data_samples"]:
        sample.set_metainfo(dict(image_level=True))
    losses_of(model, data)
    assert term.calibration.counts.sum() == 0
    losses_of(model, batch((3, 2), (1, 1)))
    assert term.calibration.counts.sum() == 5
