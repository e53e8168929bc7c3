"""The one-stage detector: losses, and any vocabulary at test time."""

import pytest
import torch

from ovdistill.core.errors import UserError

from ..batches import D, batch, build, loss_dict, losses_of, make_vocabulary, without_gradient

NAME = "hierkd_atss_r18_shapes"


def test_a_step_reaches_every_weight():
    model = build(NAME, make_vocabulary(7))
    loss, logged = losses_of(model, batch((3, 2)))
    assert {"loss_hierkd_instance", "loss_hierkd_global", "loss_centerness"} <= set(logged)
    loss.backward()
    assert loss.isfinite()
    assert without_gradient(model) == []
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


def test_the_learned_weight_counts_once_for_all_levels():
    model = build(NAME, make_vocabulary(7))
    model.bbox_head.loss_cls.log_variance.data.fill_(40.0)
    # L exp(-40) + 40
    assert loss_dict(model, batch())["loss_cls"].item() == pytest.approx(40.0)


@pytest.mark.parametrize("boxes", [(0, 0), (0, 2)])
def test_images_without_regions_boxes_or_phrases(boxes):
    terms = [dict(type="ViLDTerm"), dict(type="HierKDGlobalTerm", text="phrases")]
    model = build(NAME, make_vocabulary(7), distillers=terms)
    loss, logged = losses_of(model, batch((0, 0), boxes, phrases=0))
    loss.backward()
    assert loss.isfinite()
    assert logged["loss_vild_image"] == 0 and logged["loss_hierkd_global"] == 0


def test_class_names_are_replaced_at_test_time():
    model = build(NAME, make_vocabulary(7))
    model.set_vocabulary(make_vocabulary(3, novel=1))
    with torch.no_grad():
        outputs = model.eval().test_step(batch())
    labels = torch.cat([output.pred_instances.labels for output in outputs])
    assert len(labels) > 0 and labels.max() < 3
    with pytest.raises(UserError, match=f"width 8.*width {D}"):
        model.set_vocabulary(make_vocabulary(7, embed_dim=8))


def test_a_term_that_needs_rois_is_refused():
    with pytest.raises(UserError, match="VouchTerm needs 'rois'"):
        build(NAME, make_vocabulary(3), distillers=[dict(type="VouchTerm")])
