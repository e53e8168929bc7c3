"""Visual prompts, see ``ovdistill.teacher.adapters.visual_prompt`` for the formula."""

from ovdistill.teacher_training.adapt.visual_prompt.method import VisualPromptMethod

__all__ = ["VisualPromptMethod"]
