"""Registers every ovdistill component with mmdet's registries.

Configs name this module in ``custom_imports``; scripts import it before they build anything. The
stand-in for mmcv's compiled ops goes in first, because importing mmdet's models needs them.
"""

import warnings

from ovdistill import mmcv_ops

mmcv_ops.import_datasets()
# mmdet warns at import about an evaluator that ovdistill does not use
warnings.filterwarnings("ignore", message="faster_coco_eval is not installed")

import mmdet.models  # noqa: E402, F401
from mmdet.utils import register_all_modules  # noqa: E402

import ovdistill.datasets.ov_dataset  # noqa: E402, F401
import ovdistill.datasets.transforms  # noqa: E402, F401
import ovdistill.evaluation.ov_metric  # noqa: E402, F401
import ovdistill.evaluation.proposals  # noqa: E402, F401
import ovdistill.methods.hierkd.term  # noqa: E402, F401
import ovdistill.methods.region_word.term  # noqa: E402, F401
import ovdistill.methods.rkd.term  # noqa: E402, F401
import ovdistill.methods.vild.term  # noqa: E402, F401
import ovdistill.methods.vouch.term  # noqa: E402, F401
import ovdistill.models.alignment  # noqa: E402, F401
import ovdistill.models.atss_head  # noqa: E402, F401
import ovdistill.models.mask_boxes  # noqa: E402, F401
import ovdistill.models.open_vocabulary_atss  # noqa: E402, F401
import ovdistill.models.open_vocabulary_rcnn  # noqa: E402, F401
import ovdistill.models.region_token_head  # noqa: E402, F401
import ovdistill.models.region_word_head  # noqa: E402, F401
import ovdistill.models.roi_head  # noqa: E402, F401
import ovdistill.models.weight_transfer  # noqa: E402, F401

register_all_modules(init_default_scope=True)
