"""OVShapes: the embedded open-vocabulary benchmark (drawn pictures, LVIS and COCO format)."""

from pathlib import Path

WEIGHTS_DIR = Path(__file__).parent / "weights"
TEACHER_DIR = WEIGHTS_DIR / "teacher"
