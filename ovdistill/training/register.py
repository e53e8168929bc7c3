"""Registers the components of trainings; configs name this module in ``custom_imports``."""

from ovdistill.core import mmcv_ops

mmcv_ops.import_datasets()

from ovdistill.training import (  # noqa: E402, F401
    checkpoint_hook,
    draws,
    non_finite,
    optim_wrappers,
    region_report,
    runner,
    validation_hook,
)
