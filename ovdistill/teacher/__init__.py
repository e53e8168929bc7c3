"""The frozen teacher: text, images and regions of images into one embedding space."""

from ovdistill.teacher.crops import CropPolicy
from ovdistill.teacher.open_clip_teacher import OpenCLIPTeacher
from ovdistill.teacher.teacher import TEACHERS, Teacher, build_teacher, teacher_id

__all__ = ["TEACHERS", "CropPolicy", "OpenCLIPTeacher", "Teacher", "build_teacher", "teacher_id"]
