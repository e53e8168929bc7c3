"""The whole detector: every shapes config trains a step and tests with any vocabulary."""

import pytest
import torch
from mmdet.registry import MODELS

from ovdistill.core.errors import UserError
from ovdistill.distillation.vild.loss import ensemble_log_scores
from ovdistill.models.config import load_config

from ..batches import CONFIGS, D, batch, build, losses_of, words


def grads(module: torch.nn.Module) -> float:
    return sum(p.grad.abs().sum().item() for p in module.parameters() if p.grad is not None)


NAMES = ("vild_r18_shapes", "vild_text_r18_shapes", "vild_image_r18_shapes")


@pytest.mark.parametrize("name", [*NAMES, "vild_ensemble_r18_shapes"])
def test_a_step_reaches_every_weight(name):
    model = build(name, words(7))
    loss, logged = losses_of(model, batch())
    assert loss.isfinite()
    assert ("loss_vild_image" in logged) == (name != "vild_text_r18_shapes")
    loss.backward()
    without = [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None]
    assert without == []
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


def test_distillation_and_text_train_the_right_heads():
    model = build("vild_ensemble_r18_shapes", words(7))
    head = model.roi_head
    data = model.data_preprocessor(batch(), True)
    losses = model.train()(**data, mode="loss")
    losses["loss_vild_image"].backward(retain_graph=True)
    assert grads(head.image_head) > 0 and grads(head.bbox_head) == 0 and grads(model.backbone) > 0
    model.zero_grad()
    losses["loss_cls"].backward()
    assert grads(head.image_head) == 0 and grads(head.bbox_head) > 0

    joint = build("vild_r18_shapes", words(7))
    joint.train()(**joint.data_preprocessor(batch(), True), mode="loss")[
        "loss_vild_image"
    ].backward()
    assert grads(joint.roi_head.bbox_head) > 0


def test_vild_image_gets_nothing_from_text():
    model = build("vild_image_r18_shapes", words(7))
    data = model.data_preprocessor(batch(), True)
    model.train()(**data, mode="loss")["loss_cls"].backward()
    assert grads(model.roi_head.bbox_head.fc_cls) == 0


@pytest.mark.parametrize("regions", [(0, 0), (0, 4)])
def test_images_without_regions_or_boxes(regions):
    model = build("vild_ensemble_r18_shapes", words(7))
    loss, logged = losses_of(model, batch(regions, boxes=(0, 0)))
    loss.backward()
    assert loss.isfinite()
    assert (float(logged["loss_vild_image"]) == 0) == (sum(regions) == 0)


@pytest.mark.parametrize("name", ["vild_r18_shapes", "vild_ensemble_r18_shapes"])
def test_words_are_replaced_at_test_time(name):
    model = build(name, words(7))
    other = words(3, novel=1)
    model.set_vocabulary(other)
    data = batch()
    with torch.no_grad():
        outputs = model.eval().test_step(data)
    assert model.vocabulary is other
    labels = torch.cat([o.pred_instances.labels for o in outputs])
    assert len(labels) > 0 and labels.max() < 3
    for output in outputs:
        found = output.pred_instances
        assert found.scores.isfinite().all()
        assert found.masks.shape == (len(found), 32, 32)
        assert found.bboxes.max() <= 32  # pixels of the original image
        assert output.proposals.bboxes.max() <= 32 and len(output.proposals.scores)


def test_vocabulary_of_another_width_is_refused():
    with pytest.raises(UserError, match=f"width 8.*width {D}"):
        build("vild_r18_shapes", words(7)).set_vocabulary(words(7, dim=8))


def test_ensemble_scores_are_the_geometric_mean_of_both_heads():
    model = build("vild_ensemble_r18_shapes", words(5)).eval()
    head = model.roi_head
    with torch.no_grad():
        x = model.extract_feat(torch.randn(1, 3, 64, 64))
        rois = torch.tensor([[0.0, 4, 4, 30, 30], [0, 10, 20, 50, 60]])
        results = head._bbox_forward(x, rois)
        text = head.bbox_head(results["bbox_feats"])[0]
        image = head.embed_regions(x, rois)
        log_text = head.bbox_head.fc_cls.log_scores(text)
        log_image = head.image_head.fc_cls.log_scores(image)
    expected = ensemble_log_scores(log_text[:, :-1], log_image[:, :-1], model.vocabulary.is_base)
    assert torch.allclose(results["cls_score"][:, :-1], expected, atol=1e-5)
    assert torch.allclose(results["cls_score"][:, -1], log_text[:, -1])


def test_regions_are_embedded_as_proposals_are():
    model = build("vild_r18_shapes", words(5)).eval()
    with torch.no_grad():
        x = model.extract_feat(torch.randn(1, 3, 64, 64))
        rois = torch.tensor([[0.0, 4, 4, 30, 30]])
        scores = model.roi_head._bbox_forward(x, rois)["cls_score"]
        embedded = model.roi_head.embed_regions(x, rois)
        assert embedded.norm(dim=1).tolist() == pytest.approx([1.0], abs=1e-5)
        assert torch.allclose(scores, model.roi_head.bbox_head.fc_cls.log_scores(embedded))


def test_sampled_rois_and_regions_share_a_heads_batch_statistics():
    config = load_config(CONFIGS / "vild_r18_shapes.py")
    head = config.model.roi_head.bbox_head
    head.type, head.num_shared_convs, head.num_shared_fcs = "ConvFCBBoxHead", 1, 1
    head.norm_cfg = dict(type="BN")
    model = MODELS.build({**config.model, "vocabulary": words(7)})
    losses_of(model, batch())
    norms = [m for m in model.roi_head.bbox_head.modules() if "BatchNorm" in type(m).__name__]
    assert [int(norm.num_batches_tracked) for norm in norms] == [1]
