"""RKD's weight transfer: by hand, and what it trains in the detector."""

import pytest
import torch

from ovdistill.models.weight_transfer import WeightTransferHead

from ..batches import D, batch, build, load_config, loss_dict, losses_of, make_vocabulary


def test_by_hand():
    head = WeightTransferHead(2, 3, embed_dim=2, hidden=2, background=False)
    eye = torch.eye(2)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.zero_()
        head.project.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, -1.0]]))
        head.transfer[0].weight.copy_(eye)
        head.transfer[2].weight.copy_(2 * eye)
        head.skip[2].bias.copy_(torch.tensor([0.0, 1.0]))
    x = torch.tensor([[3.0, 4.0]])
    # W_P = 2 leaky(W_D) = [[2, 0], [0, -0.2]]; W_P x + (0, 1) = (6, 0.2); W_D x = (3, -4)
    both = head(x)
    expected = torch.nn.functional.normalize(torch.tensor([[6.0, 0.2]]), dim=1)
    assert torch.allclose(head.for_alignment(both), expected)
    assert head.for_distillation(both).tolist()[0] == pytest.approx([0.6, -0.8])


def test_the_distilled_map_is_frozen_and_both_losses_train_the_rest():
    roi_head = load_config("vild_r18_shapes").model.roi_head
    roi_head.bbox_head.cls_predictor_cfg = dict(type="WeightTransferHead", hidden=8)
    model = build("vild_r18_shapes", make_vocabulary(7), roi_head=roi_head)
    head = model.roi_head.bbox_head
    losses = loss_dict(model, batch())
    losses["loss_vild_image"].backward(retain_graph=True)
    assert head.fc_cls.transfer[0].weight.grad.abs().sum() == 0
    assert head.shared_fcs[0][0].weight.grad.abs().sum() > 0
    losses["loss_cls"].backward()
    assert head.fc_cls.transfer[0].weight.grad.abs().sum() > 0
    assert head.fc_cls.project.weight.grad is None
    with torch.no_grad():
        (found, _) = model.eval().test_step(batch())
    assert len(found.pred_instances) > 0
    assert head.fc_cls.text_embeddings.shape == (7, D)


def test_it_starts_from_an_rkd_checkpoint():
    source = build("vild_r18_shapes", make_vocabulary(7)).state_dict()
    roi_head = load_config("vild_r18_shapes").model.roi_head
    roi_head.bbox_head.cls_predictor_cfg = dict(type="WeightTransferHead", hidden=8)
    model = build("vild_r18_shapes", make_vocabulary(7), roi_head=roi_head)
    missing, unexpected = model.load_state_dict(source, strict=False)
    assert unexpected == []
    assert all(".transfer." in name or ".skip." in name for name in missing)
    loss, _ = losses_of(model, batch())
    assert loss.isfinite()
