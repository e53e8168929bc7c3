"""The whole detector: the ViLD recipes train a step and test with any vocabulary."""

import pytest
import torch

from ovdistill.core.errors import UserError

from ..batches import (
    D,
    batch,
    build,
    gradient_sum,
    load_config,
    loss_dict,
    losses_of,
    make_vocabulary,
    without_gradient,
)

NAMES = ("vild_r18_shapes", "vild_text_r18_shapes", "vild_image_r18_shapes")


@pytest.mark.parametrize("name", [*NAMES, "vild_ensemble_r18_shapes"])
def test_a_step_reaches_every_weight(name):
    model = build(name, make_vocabulary(7))
    loss, logged = losses_of(model, batch())
    assert loss.isfinite()
    assert ("loss_vild_image" in logged) == (name != "vild_text_r18_shapes")
    loss.backward()
    assert without_gradient(model) == []
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


def test_distillation_and_text_train_the_right_heads():
    model = build("vild_ensemble_r18_shapes", make_vocabulary(7))
    head = model.roi_head
    losses = loss_dict(model, batch())
    losses["loss_vild_image"].backward(retain_graph=True)
    assert (
        gradient_sum(head.image_head) > 0
        and gradient_sum(head.bbox_head) == 0
        and gradient_sum(model.backbone) > 0
    )
    model.zero_grad()
    losses["loss_cls"].backward()
    assert gradient_sum(head.image_head) == 0 and gradient_sum(head.bbox_head) > 0

    joint = build("vild_r18_shapes", make_vocabulary(7))
    loss_dict(joint, batch())["loss_vild_image"].backward()
    assert gradient_sum(joint.roi_head.bbox_head) > 0


def test_vild_image_gets_nothing_from_text():
    model = build("vild_image_r18_shapes", make_vocabulary(7))
    loss_dict(model, batch())["loss_cls"].backward()
    assert gradient_sum(model.roi_head.bbox_head.fc_cls) == 0


@pytest.mark.parametrize("regions", [(0, 0), (0, 4)])
def test_images_without_regions_or_boxes(regions):
    model = build("vild_ensemble_r18_shapes", make_vocabulary(7))
    loss, logged = losses_of(model, batch(regions, boxes=(0, 0)))
    loss.backward()
    assert loss.isfinite()
    assert (float(logged["loss_vild_image"]) == 0) == (sum(regions) == 0)


@pytest.mark.parametrize("name", ["vild_r18_shapes", "vild_ensemble_r18_shapes"])
def test_class_names_are_replaced_at_test_time(name):
    model = build(name, make_vocabulary(7))
    other = make_vocabulary(3, novel=1)
    model.set_vocabulary(other)
    model.roi_head.test_cfg.score_thr = 0.0  # random weights may be sure of the background
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
        build("vild_r18_shapes", make_vocabulary(7)).set_vocabulary(make_vocabulary(7, embed_dim=8))


@pytest.mark.parametrize(
    ("name", "key"), [("bbox_head", "reg_class_agnostic"), ("mask_head", "class_agnostic")]
)
def test_boxes_and_masks_for_each_class_are_refused(name, key):
    model = load_config("vild_r18_shapes").model
    del model.roi_head[name][key]  # mmdet's default
    with pytest.raises(UserError, match=rf"got {key}=False of roi_head\.{name}.*{key}=True"):
        build("vild_r18_shapes", make_vocabulary(3), roi_head=model.roi_head)
