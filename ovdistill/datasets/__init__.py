"""Datasets in COCO or LVIS format with base and novel words, and their transforms."""

from ovdistill.datasets.ov_dataset import OVDataset
from ovdistill.datasets.transforms import LoadPicture, LoadTeacherRegions, PackOVInputs

__all__ = ["LoadPicture", "LoadTeacherRegions", "OVDataset", "PackOVInputs"]
