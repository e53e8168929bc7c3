"""Registers every ovdistill component with mmdet's registries.

Configs name this module in ``custom_imports``, and ``load_config`` then imports it.
"""

import warnings

from ovdistill.core import mmcv_ops

mmcv_ops.import_datasets()
# mmdet warns on import about an evaluator that ovdistill does not use
warnings.filterwarnings("ignore", message="faster_coco_eval is not installed")

import mmdet.models  # noqa: E402, F401
from mmdet.utils import register_all_modules  # noqa: E402

from ovdistill.datasets import (  # noqa: E402, F401
    load_image,
    load_regions,
    ov_dataset,
    pack_inputs,
    resize,
    source_sampler,
)
from ovdistill.distillation.hierkd import term as _hierkd  # noqa: E402, F401
from ovdistill.distillation.region_queue import term as _region_queue  # noqa: E402, F401
from ovdistill.distillation.region_word import term as _region_word  # noqa: E402, F401
from ovdistill.distillation.rkd import term as _rkd  # noqa: E402, F401
from ovdistill.distillation.vild import term as _vild  # noqa: E402, F401
from ovdistill.distillation.vouch import term as _vouch  # noqa: E402, F401
from ovdistill.evaluation import ov_metric, proposal_recall  # noqa: E402, F401
from ovdistill.models import (  # noqa: E402, F401
    atss_head,
    box_quality,
    checkpoint_loaders,
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
    weight_transfer,
)

register_all_modules(init_default_scope=True)
