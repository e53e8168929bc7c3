"""Annotation files in COCO and LVIS format: one reader, one set of rules for every caller.

Read ``reader`` first; the rules are in the modules beside it. Nothing here knows of the mm stack.
"""

from ovdistill.datasets.annotations.categories import CATEGORY_KEYS
from ovdistill.datasets.annotations.images import IMAGE_KEYS, check_keys
from ovdistill.datasets.annotations.objects import annotation_problem
from ovdistill.datasets.annotations.reader import (
    Annotations,
    check_crowds,
    read_annotations,
    read_json,
    read_sections,
)
from ovdistill.datasets.annotations.values import Record

__all__ = [
    "CATEGORY_KEYS",
    "IMAGE_KEYS",
    "Annotations",
    "Record",
    "annotation_problem",
    "check_crowds",
    "check_keys",
    "read_annotations",
    "read_json",
    "read_sections",
]
