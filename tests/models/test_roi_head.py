"""The RoI head: scores of two heads, embeddings of regions, and what a call leaves behind."""

import pytest
import torch
from mmdet.registry import MODELS

from ovdistill.distillation.vild.loss import ensemble_log_scores

from ..batches import batch, build, load_config, losses_of, make_vocabulary


@pytest.mark.parametrize("shared", [False, True])
def test_ensemble_scores_are_the_geometric_mean_of_both_heads(shared):
    model = build("vild_ensemble_r18_shapes", make_vocabulary(5)).eval()
    head = model.roi_head
    if shared:
        head.shared_head = torch.nn.Tanh()
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
    model = build("vild_r18_shapes", make_vocabulary(5)).eval()
    with torch.no_grad():
        x = model.extract_feat(torch.randn(1, 3, 64, 64))
        rois = torch.tensor([[0.0, 4, 4, 30, 30]])
        scores = model.roi_head._bbox_forward(x, rois)["cls_score"]
        embedded = model.roi_head.embed_regions(x, rois)
        assert embedded.norm(dim=1).tolist() == pytest.approx([1.0], abs=1e-5)
        assert torch.allclose(scores, model.roi_head.bbox_head.fc_cls.log_scores(embedded))


def test_sampled_rois_and_regions_share_a_heads_batch_statistics():
    config = load_config("vild_r18_shapes")
    head = config.model.roi_head.bbox_head
    head.type, head.num_shared_convs, head.num_shared_fcs = "ConvFCBBoxHead", 1, 1
    head.norm_cfg = dict(type="BN")
    model = MODELS.build({**config.model, "vocabulary": make_vocabulary(7)})
    losses_of(model, batch())
    norms = [m for m in model.roi_head.bbox_head.modules() if "BatchNorm" in type(m).__name__]
    assert [int(norm.num_batches_tracked) for norm in norms] == [1]


@pytest.mark.parametrize("name", ["vild_r18_shapes", "hierkd_atss_r18_shapes"])
def test_nothing_of_a_batch_is_left_on_the_detector(name):
    model = build(name, make_vocabulary(7))
    own = [module for module in model.modules() if "ovdistill" in type(module).__module__]
    before = [{**vars(module)} for module in own]
    losses_of(model, batch())
    with torch.no_grad():
        model.eval().test_step(batch())
    for module, attributes in zip(own, before, strict=True):
        changed = {key for key, value in vars(module).items() if attributes.get(key) is not value}
        assert changed <= {"training"}, (type(module).__name__, changed)


def test_factors_of_the_terms_weigh_the_alignment_loss():
    model = build("vild_r18_shapes", make_vocabulary(7), distillers=[dict(type="ViLDTerm")])
    (term,) = model.roi_head.distillers
    found = []
    for factor in (1.0, 2.0):
        term.roi_weights = lambda inputs, f=factor: f * torch.ones(len(inputs.sampled.labels))
        torch.manual_seed(0)  # the same batch, and the same RoIs drawn from it
        found.append(losses_of(model, batch())[1])
    assert found[1]["loss_cls"].item() == pytest.approx(2 * found[0]["loss_cls"].item())
    assert found[1]["loss_bbox"].item() == found[0]["loss_bbox"].item() > 0
