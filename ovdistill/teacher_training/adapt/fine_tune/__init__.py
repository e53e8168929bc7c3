"""Fine-tuning of a teacher's own weights, whole or in low rank, averaged with what they were."""

from ovdistill.teacher_training.adapt.fine_tune.method import FineTuneMethod

__all__ = ["FineTuneMethod"]
