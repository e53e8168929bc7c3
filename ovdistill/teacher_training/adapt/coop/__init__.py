"""CoOp, whose learning is in ``ovdistill.vocabulary.learn``."""

from ovdistill.teacher_training.adapt.coop.method import CoOpMethod

__all__ = ["CoOpMethod"]
