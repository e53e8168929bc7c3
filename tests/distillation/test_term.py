"""Every term in the detector: alone, combined, with nothing in the batch; and terms as a list."""

import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.distillation.batch import DistillInputs, TextEmbeddings
from ovdistill.distillation.term import DistillationTerm, DistillationTerms
from ovdistill.distillation.vild.term import ViLDTerm

from ..batches import (
    batch,
    build,
    gradient_sum,
    loss_dict,
    losses_of,
    make_vocabulary,
    without_gradient,
)

TERMS = {
    "ViLDTerm": ({}, {"loss_vild_image"}),
    "HierKDInstanceTerm": (dict(min_overlap=0.0), {"loss_hierkd_instance"}),
    "HierKDGlobalTerm": (dict(in_channels=48), {"loss_hierkd_global"}),
    "HierKDRegionGlobalTerm": ({}, {"loss_hierkd_region"}),
    "RKDTerm": ({}, {"loss_rkd_point", "loss_rkd_relation"}),
    "RKDPseudoLabelTerm": (dict(min_similarity=-2.0), {"loss_rkd_pseudo"}),
    "VouchTerm": (dict(), {"loss_vouch_image"}),
    "RegionQueueTerm": ({}, {"loss_region_queue"}),
    "RegionWordCaptionTerm": ({}, {"loss_region_word_caption"}),
}
PARTS = ("regions", "captions", "rois")
ALL = [dict(type=name, **options) for name, (options, _) in TERMS.items()]


@pytest.mark.parametrize("name", TERMS)
def test_a_term_alone_trains_the_backbone(name):
    options, expected = TERMS[name]
    model = build("vild_r18_shapes", make_vocabulary(7), distillers=[dict(type=name, **options)])
    losses = loss_dict(model, batch((3, 2)))
    own = [losses[key] for key in expected]
    detection = {"loss_rpn_cls", "loss_rpn_bbox", "loss_cls", "loss_bbox", "loss_mask"}
    detection |= {"loss_quality"}
    assert {key for key in losses if key.startswith("loss_")} == detection | expected
    assert all(loss.isfinite() and loss > 0 for loss in own), own
    sum(own).backward()
    assert gradient_sum(model.backbone) > 0


def test_all_terms_together_reach_every_weight():
    model = build("vild_r18_shapes", make_vocabulary(7), distillers=ALL)
    loss, logged = losses_of(model, batch())
    assert set().union(*(expected for _, expected in TERMS.values())) <= set(logged)
    loss.backward()
    assert without_gradient(model) == []
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize("image_head", ["vild_r18_shapes", "vild_ensemble_r18_shapes"])
@pytest.mark.parametrize("boxes", [(0, 0), (2, 1)])
def test_no_region_and_no_phrase_keep_every_weight_in_the_graph(image_head, boxes):
    model = build(image_head, make_vocabulary(7), distillers=ALL)
    loss, logged = losses_of(model, batch((0, 0), boxes, phrases=0))
    loss.backward()
    assert loss.isfinite()
    assert without_gradient(model) == []
    zero = {key for key in logged if key.startswith("loss_") and logged[key] == 0}
    regions = {"loss_vild_image", "loss_hierkd_instance", "loss_rkd_point", "loss_rkd_relation"}
    assert regions | {"loss_rkd_pseudo", "loss_region_word_caption"} <= zero


class Stub(DistillationTerm):
    """A term that returns a given loss and factors."""

    def __init__(self, name, value=1.0, factors=None, needs=("regions",)):
        super().__init__()
        self.name, self.value, self.factors, self.needs = name, value, factors, needs

    def set_embed_dim(self, embed_dim):
        self.embed_dim = embed_dim

    def roi_weights(self, inputs):
        return self.factors

    def forward(self, inputs):
        return {self.name: torch.tensor(self.value)}


def inputs_of(rows: int = 2) -> DistillInputs:
    texts = TextEmbeddings(torch.eye(rows), torch.ones(rows, dtype=torch.bool), 0.01)
    return DistillInputs(
        images=1, texts=texts, features=(), sampled=None, regions=None, captions=None
    )


def test_terms_know_the_width_and_what_any_of_them_needs():
    terms = DistillationTerms(
        [Stub("loss_a"), Stub("loss_b", needs=("captions", "rois"))], 4, PARTS
    )
    assert [term.embed_dim for term in terms] == [4, 4]
    assert terms.needs == {"regions", "captions", "rois"}
    assert DistillationTerms([], 4, PARTS).needs == set()


@pytest.mark.parametrize("part", ["region", "dense"])  # a slip, and a part of segmentors
def test_a_term_that_needs_what_the_network_lacks_is_refused(part):
    with pytest.raises(UserError, match=f"Stub needs '{part}'.*regions, captions, rois"):
        DistillationTerms([Stub("loss", needs=("regions", part))], 4, PARTS)


@pytest.mark.parametrize("name", ["vild_r18_shapes", "hierkd_atss_r18_shapes"])
def test_every_detector_says_what_it_lacks(name, monkeypatch):
    monkeypatch.setattr(ViLDTerm, "needs", ("region",))
    with pytest.raises(UserError, match="ViLDTerm needs 'region'"):
        build(name, make_vocabulary(3), distillers=[dict(type="ViLDTerm")])


def test_factors_on_the_rois_of_all_terms_multiply():
    factors = [torch.tensor([0.5, 1.0]), None, torch.tensor([0.5, 0.25])]
    terms = DistillationTerms([Stub("loss", factors=f) for f in factors], 4, PARTS)
    assert terms.weigh_rois(torch.tensor([2.0, 4.0]), inputs_of()).tolist() == [0.5, 1.0]


def test_losses_of_all_terms_are_collected():
    terms = DistillationTerms([Stub("loss_a", 1.0), Stub("loss_b", 2.0)], 4, PARTS)
    assert {k: v.item() for k, v in terms.losses(inputs_of()).items()} == dict(loss_a=1, loss_b=2)
    assert DistillationTerms([], 4, PARTS).losses(inputs_of()) == {}


def test_a_term_that_would_hide_another_is_refused():
    terms = DistillationTerms([Stub("loss_a"), Stub("loss_a")], 4, PARTS)
    with pytest.raises(UserError, match=r"loss_a.*Stub"):
        terms.losses(inputs_of())


def test_a_term_without_a_loss_says_what_is_missing():
    with pytest.raises(TypeError, match=r"DistillationTerm.*forward"):
        DistillationTerm()(inputs_of())
