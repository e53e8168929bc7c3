"""Unified prompts of text and image, see ``network`` for the formulas."""

from ovdistill.teacher_training.adapt.upt.method import UnifiedPromptsMethod

__all__ = ["UnifiedPromptsMethod"]
