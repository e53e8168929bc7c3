"""A linear probe in place of the text embeddings of base names."""

from ovdistill.teacher_training.adapt.linear_probe.method import LinearProbeMethod

__all__ = ["LinearProbeMethod"]
