"""The frozen CLIP teacher: text, images and regions of images into one embedding space."""

from ovdistill.teacher.crops import CropPolicy
from ovdistill.teacher.teacher import Teacher

__all__ = ["CropPolicy", "Teacher"]
