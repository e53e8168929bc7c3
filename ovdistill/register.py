"""Registers every ovdistill component with mmdet's registries.

Configs name this module in ``custom_imports``; scripts import it before they build anything. The
stand-in for mmcv's compiled ops goes in first, because importing mmdet's models needs them.
"""

from ovdistill import mmcv_ops

mmcv_ops.install()

import mmdet.models  # noqa: E402, F401
from mmdet.utils import register_all_modules  # noqa: E402

import ovdistill.datasets  # noqa: E402, F401
import ovdistill.evaluation.ov_metric  # noqa: E402, F401
import ovdistill.evaluation.proposals  # noqa: E402, F401
import ovdistill.methods.vild.term  # noqa: E402, F401
import ovdistill.models  # noqa: E402, F401

register_all_modules(init_default_scope=True)
