"""Frozen teacher: embeds texts, images and regions of images in one space."""

from ovdistill.teacher.adapted_teacher import AdaptedTeacher
from ovdistill.teacher.adapter import (
    NamedAdapter,
    TeacherAdapter,
    register_adapter,
)
from ovdistill.teacher.adapter_file import read_adapter, write_adapter
from ovdistill.teacher.adapters import ClipAdapter, TipAdapter, UnifiedPrompts, VisualPrompt
from ovdistill.teacher.crops import CropPolicy
from ovdistill.teacher.dense_regions import DenseRegions
from ovdistill.teacher.open_clip_teacher import OpenCLIPTeacher
from ovdistill.teacher.region_policy import RegionPolicy, region_policy
from ovdistill.teacher.registry import (
    build_teacher,
    find_teacher_weights,
    register_teacher,
    teacher_name,
)
from ovdistill.teacher.teacher import Teacher

__all__ = [
    "AdaptedTeacher",
    "ClipAdapter",
    "CropPolicy",
    "DenseRegions",
    "NamedAdapter",
    "OpenCLIPTeacher",
    "RegionPolicy",
    "Teacher",
    "TeacherAdapter",
    "TipAdapter",
    "UnifiedPrompts",
    "VisualPrompt",
    "build_teacher",
    "find_teacher_weights",
    "read_adapter",
    "region_policy",
    "register_adapter",
    "register_teacher",
    "teacher_name",
    "write_adapter",
]
