"""The kinds of adapters that ship: importing this package registers them.

How they are learned is in ``ovdistill.teacher_training.adapt``.
"""

from ovdistill.teacher.adapters.clip_adapter import ClipAdapter
from ovdistill.teacher.adapters.tip_adapter import TipAdapter
from ovdistill.teacher.adapters.upt import UnifiedPrompts
from ovdistill.teacher.adapters.visual_prompt import VisualPrompt

__all__ = ["ClipAdapter", "TipAdapter", "UnifiedPrompts", "VisualPrompt"]
