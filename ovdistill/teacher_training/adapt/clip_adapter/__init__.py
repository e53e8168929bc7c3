"""CLIP-Adapter, see ``ovdistill.teacher.adapters.clip_adapter`` for its network."""

from ovdistill.teacher_training.adapt.clip_adapter.method import ClipAdapterMethod

__all__ = ["ClipAdapterMethod"]
