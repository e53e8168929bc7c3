"""Vouch in the detector: its bank of objects, and the weights of background RoIs."""

import torch

from ...batches import D, batch, build, losses_of, make_vocabulary


def test_the_bank_keeps_the_latest_sure_objects_without_a_label():
    term = dict(type="VouchTerm", bank_rows=3, bank_size=5, min_objectness=0.3)
    model = build("vild_r18_shapes", make_vocabulary(7), distillers=[term])
    (term,) = model.roi_head.distillers
    before = term.bank
    for _ in range(2):
        data = batch((4, 0), (1, 1))
        sample = data["data_samples"][0]
        # a labelled object, two sure ones without a label, an unsure one
        sample.teacher_regions.bboxes = torch.tensor([[0.0, 0, 9, 9]]).repeat(4, 1)
        sample.gt_instances.bboxes = torch.tensor([[30.0, 30, 60, 60]])
        sample.teacher_regions.bboxes[0] = sample.gt_instances.bboxes[0]
        sample.teacher_regions.objectness = torch.tensor([0.9, 0.5, 0.8, 0.1])
        loss, logged = losses_of(model, data)
        embeddings = sample.teacher_regions.embeddings
        fresh = torch.stack([embeddings[2], embeddings[1], torch.zeros(D)])
        assert torch.allclose(term.bank, torch.cat([fresh, before[:2]]), atol=1e-6)
        before = term.bank
    assert {"loss_vouch_image", "loss_vouch_contest"} <= set(logged)
    assert loss.isfinite()
    assert not any("bank" in key for key in model.state_dict())


def test_background_rois_on_a_sure_region_lose_their_weight():
    for soften in (0.0, 1.0):
        term = dict(type="VouchTerm", soften=soften, min_overlap=0.3, contest_weight=0)
        model = build("vild_r18_shapes", make_vocabulary(7), distillers=[term])
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
