"""Frozen teacher: embeds texts, images and regions of images in one space."""

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
    "CropPolicy",
    "DenseRegions",
    "OpenCLIPTeacher",
    "RegionPolicy",
    "Teacher",
    "build_teacher",
    "find_teacher_weights",
    "region_policy",
    "register_teacher",
    "teacher_name",
]
