"""Registers every ovdistill component with mmdet's registries.

Configs name this module in ``custom_imports``, and ``load_config`` then imports it.
"""

import warnings

from ovdistill.core import mmcv_ops

mmcv_ops.import_datasets()
# mmdet warns on import about an evaluator that ovdistill does not use
warnings.filterwarnings("ignore", message="faster_coco_eval is not installed")

from mmdet.utils import register_all_modules  # noqa: E402

import ovdistill.models.register_models  # noqa: E402, F401
from ovdistill.datasets import ov_dataset, source_sampler  # noqa: E402, F401
from ovdistill.datasets.transforms import (  # noqa: E402, F401
    load_image,
    load_regions,
    pack_inputs,
    resize,
)
from ovdistill.evaluation import ov_metric, proposal_recall  # noqa: E402, F401

register_all_modules(init_default_scope=True)
