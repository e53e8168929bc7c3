"""The dense head: regions on the right level, embeddings of all locations, and its loss by hand."""

import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.models.atss_head import DenseRegionWordLoss

from ..batches import D, build, load_config, make_vocabulary

NAME = "hierkd_atss_r18_shapes"


def test_regions_are_embedded_at_their_centre_on_their_level():
    head = build(NAME, make_vocabulary(3)).bbox_head
    # anchors are of 20, 40 and 80 px on strides 4, 8 and 16
    embeddings = [torch.randn(2, D, 64 // s, 96 // s) for s in (4, 8, 16)]
    small = [40.0, 20, 58, 38]  # centre (49, 29): cell (12, 7) of stride 4
    middle = [42.0, 4, 82, 44]  # centre (62, 24): nearest to location (8, 3) of stride 8
    large = [0.0, 0, 96, 64]  # centre (48, 32): cell (3, 2) of stride 16
    edge = [92.0, 60, 100, 68]  # centre (96, 64), on the edge: the last cell
    boxes = torch.tensor([small, middle, large, edge])
    found = head.embed_regions(embeddings, boxes, torch.tensor([0, 1, 1, 0]))
    fine, mid, coarse = embeddings
    expected = [fine[0, :, 7, 12], mid[1, :, 3, 8], coarse[1, :, 2, 3], fine[0, :, 15, 23]]
    assert torch.equal(found, torch.stack(expected))
    assert head.region_levels(boxes).tolist() == [0, 1, 2, 0]


def test_every_location_has_the_embedding_that_its_logits_come_from():
    model = build(NAME, make_vocabulary(5)).eval()
    with torch.no_grad():
        x = model.extract_feat(torch.randn(2, 3, 64, 96))
        outputs, maps = model.bbox_head.forward_with_embeddings(x)
        alone = model.bbox_head(x)
    assert all(
        torch.equal(a, b)
        for p, q in zip(outputs, alone, strict=True)
        for a, b in zip(p, q, strict=True)
    )
    logits, _, quality = outputs
    for level, embeddings, iou in zip(logits, maps, quality, strict=True):
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
    # exp(-1) L + 1 at first, once for all levels
    learned = DenseRegionWordLoss(negative_share=1.0)
    level = learned(logits, labels, torch.ones(2), 2.0)
    assert level.item() == pytest.approx(each.sum().item() / 2)
    value = learned.total([level, 2 * level, 0 * level]).item()
    assert value == pytest.approx(3 * each.sum().item() / 2 / 2.718281828 + 1)
    assert loss.total([level, level]).item() == pytest.approx(each.sum().item())
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


@pytest.mark.parametrize(
    ("head", "loss", "message"),
    [
        (dict(background=False), "DenseRegionWordLoss", "background=False.*background=True"),
        (
            dict(background=False, score="sigmoid"),
            "DenseRegionWordLoss",
            "score='sigmoid'.*score='softmax'",
        ),
        (
            dict(background=False, score="sigmoid"),
            "FocalRegionWordLoss",
            "loss_cls is FocalRegionWordLoss; expected DenseRegionWordLoss",
        ),
    ],
)
def test_a_loss_that_is_not_of_the_head(head, loss, message):
    own = load_config(NAME).model.bbox_head
    own.cls_predictor_cfg.update(head)
    own.loss_cls.type = loss
    with pytest.raises(UserError, match=message):
        build(NAME, make_vocabulary(3), bbox_head=own)
