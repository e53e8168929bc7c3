"""Registers what detectors consist of with mmdet's registries: its own parts and ovdistill's.

That is all that prediction needs. mmdet's data sets, transforms and evaluation, which ``register``
adds, would take it another second and 150 MB (imgaug and numba among others).
"""

import mmdet.models  # noqa: F401
from mmengine.registry import init_default_scope

from ovdistill.distillation.hierkd import term as _hierkd  # noqa: F401
from ovdistill.distillation.region_queue import term as _region_queue  # noqa: F401
from ovdistill.distillation.region_word import term as _region_word  # noqa: F401
from ovdistill.distillation.rkd import term as _rkd  # noqa: F401
from ovdistill.distillation.vild import term as _vild  # noqa: F401
from ovdistill.distillation.vouch import term as _vouch  # noqa: F401
from ovdistill.models import (  # noqa: F401
    atss_head,
    box_quality,
    checkpoint_loaders,
    ignoring_assigners,
    mask_boxes,
    normalized_heads,
    open_vocabulary_atss,
    open_vocabulary_rcnn,
    pretrained_init,
    region_token_head,
    region_word_head,
    region_word_loss,
    roi_head,
    rpn_proposals,
    timm_backbone,
    weight_transfer,
)

init_default_scope("mmdet")
