"""What a detection imports in a fresh process: nothing that only training and evaluation need."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
from ovdistill import Detector
from ovdistill.core.assets import SAMPLE_IMAGE
detector = Detector.from_pretrained("ovshapes", device="cpu")
assert len(detector.predict(SAMPLE_IMAGE, "solid circle, green star"))
print(*sys.modules)
"""
# matplotlib and scipy come with every import of mmdet's models
HEAVY = """
imgaug numba llvmlite pandas seaborn sklearn tensorboard hotcoco lvis transformers av trackers
supervision fiftyone mmdet.datasets mmdet.engine mmdet.evaluation mmdet.visualization
ovdistill.datasets.ov_dataset ovdistill.evaluation.ov_metric ovdistill.training
""".split()


def test_a_detection_imports_nothing_of_training_and_evaluation() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    loaded = set(done.stdout.split())
    assert {"mmdet.models", "ovdistill.models.register_models"} <= loaded
    assert not loaded & set(HEAVY)
