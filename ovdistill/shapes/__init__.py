"""OVShapes: the embedded open-vocabulary benchmark (drawn pictures, LVIS and COCO format)."""

from pathlib import Path

TEACHER_DIR = Path(__file__).parent / "weights" / "teacher"
