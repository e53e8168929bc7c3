"""Heads with normalisation after every layer, and the recipe that is made of them."""

import torch
from mmdet.registry import MODELS
from mmengine.optim import build_optim_wrapper
from torch import nn

from ovdistill.models.config import load_config

from ..batches import batch, losses_of, make_vocabulary, without_gradient

NORM = dict(type="BN", momentum=1.0)


def small(levels: int = 3):
    """A detector of small layers with the three heads."""
    config = load_config("vild_r18_shapes")
    model = config.model
    model.rpn_head.update(type="NormRPNHead", norm_cfg=NORM)
    # its norm_cfg is another kind already, which update() would merge with this one
    model.roi_head.bbox_head.update(type="NormBoxHead", num_shared_convs=1, num_shared_fcs=2)
    model.roi_head.bbox_head.norm_cfg = NORM
    model.roi_head.mask_head.update(type="NormMaskHead", norm_cfg=NORM)
    built = MODELS.build({**model, "vocabulary": make_vocabulary(7)})
    built.init_weights()
    return built


def norms(module: nn.Module) -> list[nn.Module]:
    return [m for m in module.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]


def test_a_step_reaches_every_weight():
    model = small()
    loss, _ = losses_of(model, batch((3, 2)))
    loss.backward()
    assert loss.isfinite() and without_gradient(model) == []
    heads = model.rpn_head, model.roi_head.bbox_head, model.roi_head.mask_head
    assert [len(norms(head)) for head in heads] == [3, 3, 3]
    assert all(int(norm.num_batches_tracked) == 1 for head in heads for norm in norms(head))


def test_levels_share_the_convolution_and_not_its_normalisation():
    head = small().rpn_head.train()
    fine, coarse = torch.randn(2, 48, 8, 8), 5 * torch.randn(2, 48, 4, 4)
    scores, deltas = head((fine, coarse, coarse))
    assert scores[0].shape == (2, 2, 8, 8) and deltas[1].shape == (2, 8, 4, 4)
    assert torch.allclose(scores[1], scores[2])
    one, two, three = (level[0].running_var for level in head.rpn_norms)
    assert torch.equal(two, three) and (two / one).mean() > 10


def test_linear_layers_of_the_box_head_are_normalised_before_their_relu():
    head = small().roi_head.bbox_head
    layer, norm = head.shared_fcs[1]
    assert norm.weight.unique().tolist() == [1] and layer.weight.abs().max() > 0
    with torch.no_grad():
        norm.weight.fill_(0.0)
        norm.bias.fill_(-1.0)
        layer.bias.fill_(9.0)
    _, boxes = head.eval()(torch.randn(3, 48, 7, 7))
    # nothing passes the ReLU but the bias of the box layer
    assert torch.equal(boxes, head.fc_reg.bias.expand(3, 4))


def test_a_single_row_is_normalised_by_the_running_statistics():
    head = small().roi_head.bbox_head.train()
    before = head.shared_fcs[0][1].running_mean.clone()
    classes, boxes = head(torch.randn(1, 48, 7, 7))
    assert classes.isfinite().all() and boxes.isfinite().all()
    assert torch.equal(head.shared_fcs[0][1].running_mean, before)
    head(torch.randn(2, 48, 7, 7))
    assert not torch.equal(head.shared_fcs[0][1].running_mean, before)


def test_vild_is_normalised_where_the_released_detector_is_and_only_kernels_decay():
    config = load_config("vild_ens_r50_lvis", {"model.backbone.init_cfg": None})
    model = MODELS.build({**config.model, "vocabulary": make_vocabulary(7)})
    roi_head = model.roi_head
    counts = {
        "neck": len(norms(model.neck)),  # outputs, not laterals
        "rpn": len(norms(model.rpn_head)),  # one convolution on five levels
        "box": len(norms(roi_head.bbox_head)),  # four convolutions, two linear layers
        "image": len(norms(roi_head.image_head)),
        "mask": len(norms(roi_head.mask_head)),  # four convolutions, the deconvolution
    }
    assert counts == {"neck": 5, "rpn": 5, "box": 6, "image": 6, "mask": 5}
    assert {(norm.momentum, norm.eps) for norm in norms(model)} == {(0.003, 1e-4)}
    optimizer = build_optim_wrapper(model, config.optim_wrapper).optimizer
    decay = {
        id(p): group["weight_decay"] for group in optimizer.param_groups for p in group["params"]
    }
    kernels = {n for n, p in model.named_parameters() if decay[id(p)]}
    others = {n for n, p in model.named_parameters() if not decay[id(p)]}
    assert all(
        n.endswith("bias") or p.ndim == 1 for n, p in model.named_parameters() if n in others
    )
    assert all(p.ndim > 1 for n, p in model.named_parameters() if n in kernels)
