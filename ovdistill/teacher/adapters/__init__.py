"""The kinds of adapters that ship: importing this package registers them.

How they are learned is in ``ovdistill.teacher_training.adapt``.
"""

from ovdistill.teacher.adapters.clip_adapter import ClipAdapter
from ovdistill.teacher.adapters.tip_adapter import TipAdapter

__all__ = ["ClipAdapter", "TipAdapter"]
