"""Registers the components of trainings; configs name this module in ``custom_imports``."""

from ovdistill.training import (  # noqa: F401
    checkpoint_hook,
    draws,
    non_finite,
    optim_wrappers,
    region_report,
    runner,
    validation_hook,
)
