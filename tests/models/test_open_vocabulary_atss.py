"""The one-stage detector: losses, regions on the right level, any words at test time."""

import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.models.atss_head import DenseRegionWordLoss

from ..batches import D, batch, build, losses_of, words

NAME = "hierkd_atss_r18_shapes"


def test_a_step_reaches_every_weight():
    model = build(NAME, words(7))
    loss, logged = losses_of(model, batch((3, 2)))
    assert {"loss_hierkd_instance", "loss_hierkd_global", "loss_centerness"} <= set(logged)
    loss.backward()
    assert loss.isfinite()
    assert [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None] == []
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize("boxes", [(0, 0), (0, 2)])
def test_images_without_regions_boxes_or_phrases(boxes):
    terms = [dict(type="ViLDTerm"), dict(type="HierKDGlobalTerm", text="phrases")]
    model = build(NAME, words(7), distillers=terms)
    loss, logged = losses_of(model, batch((0, 0), boxes, phrases=0))
    loss.backward()
    assert loss.isfinite()
    assert logged["loss_vild_image"] == 0 and logged["loss_hierkd_global"] == 0


def test_words_are_replaced_at_test_time():
    model = build(NAME, words(7))
    model.set_vocabulary(words(3, novel=1))
    with torch.no_grad():
        outputs = model.eval().test_step(batch())
    labels = torch.cat([output.pred_instances.labels for output in outputs])
    assert len(labels) > 0 and labels.max() < 3
    with pytest.raises(UserError, match=f"width 8.*width {D}"):
        model.set_vocabulary(words(7, dim=8))


def test_a_term_that_needs_rois_is_refused():
    with pytest.raises(UserError, match="VouchTerm needs the RoIs"):
        build(NAME, words(3), distillers=[dict(type="VouchTerm")])


def test_regions_are_embedded_at_their_centre_on_their_level():
    head = build(NAME, words(3)).bbox_head
    # anchors are of 20, 40 and 80 px on strides 4, 8 and 16
    head.embeddings = [torch.randn(2, D, 64 // s, 96 // s) for s in (4, 8, 16)]
    small = [40.0, 20, 58, 38]  # centre (49, 29): cell (12, 7) of stride 4
    middle = [40.0, 4, 80, 44]  # centre (60, 24): cell (7, 3) of stride 8
    large = [0.0, 0, 96, 64]  # centre (48, 32): cell (3, 2) of stride 16
    edge = [92.0, 60, 100, 68]  # centre (96, 64), on the edge: the last cell
    found = head.embed_regions(
        torch.tensor([small, middle, large, edge]), torch.tensor([0, 1, 1, 0])
    )
    fine, mid, coarse = head.embeddings
    expected = [fine[0, :, 7, 12], mid[1, :, 3, 7], coarse[1, :, 2, 3], fine[0, :, 15, 23]]
    assert torch.equal(found, torch.stack(expected))


def test_every_location_has_the_embedding_that_its_logits_come_from():
    model = build(NAME, words(5)).eval()
    with torch.no_grad():
        logits, _, quality = model.bbox_head(model.extract_feat(torch.randn(2, 3, 64, 96)))
    for level, embeddings, iou in zip(logits, model.bbox_head.embeddings, quality, strict=True):
        assert level.shape[1] == 6 and iou.shape[1] == 1
        assert torch.allclose(embeddings.norm(dim=1), torch.ones(()), atol=1e-5)
        flat = embeddings.permute(0, 2, 3, 1).flatten(0, 2)
        again = model.bbox_head.fc_cls.align(flat)
        assert torch.allclose(level.permute(0, 2, 3, 1).flatten(0, 2), again, atol=1e-4)


def test_dense_loss_by_hand():
    # softmax 1/4 for the label of row 0, 1/2 of row 1 (background); focal: 1/4 (1-p)^2 ln 1/p
    logits = torch.tensor([[1.0, 1.0, 2.0], [1.0, 1.0, 2.0]]).log()
    labels = torch.tensor([0, 2])
    ln = torch.log(torch.tensor([4.0, 2.0]))
    each = 0.25 * torch.tensor([0.75, 0.5]) ** 2 * ln
    loss = DenseRegionWordLoss(negative_share=1.0, uncertainty=False)
    assert loss(logits, labels, torch.ones(2), 2.0).item() == pytest.approx(each.sum().item() / 2)
    positives = DenseRegionWordLoss(negative_share=0.0, uncertainty=False)
    assert positives(logits, labels, torch.ones(2), 1.0).item() == pytest.approx(each[0].item())
    # exp(-1) L + 1 at first
    learned = DenseRegionWordLoss(negative_share=1.0)
    value = learned(logits, labels, torch.ones(2), 2.0).item()
    assert value == pytest.approx(each.sum().item() / 2 / 2.718281828 + 1)
    # a level without a positive has no loss
    nothing = loss(logits, torch.tensor([2, 2]), torch.ones(2), 1.0)
    assert nothing.item() == 0


def test_a_tenth_of_the_negatives_takes_part():
    torch.manual_seed(0)
    logits = torch.zeros(20001, 2)
    labels = torch.ones(20001, dtype=torch.long)
    labels[0] = 0
    loss = DenseRegionWordLoss(negative_share=0.1, uncertainty=False)
    one = 0.25 * 0.25 * torch.log(torch.tensor(2.0)).item()
    assert loss(logits, labels, torch.ones(20001), 1.0).item() / one == pytest.approx(2001, rel=0.1)
