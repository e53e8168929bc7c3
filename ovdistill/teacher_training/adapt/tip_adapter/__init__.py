"""Tip-Adapter, see ``ovdistill.teacher.adapters.tip_adapter`` for its formula."""

from ovdistill.teacher_training.adapt.tip_adapter.method import TipAdapterMethod

__all__ = ["TipAdapterMethod"]
