"""Bring a published detector to the model hub."""

from __future__ import annotations

import shutil
from pathlib import Path

from ovdistill.core.errors import UserError
from ovdistill.core.files import atomic_folder
from ovdistill.inference.pretrained import CONFIG, WEIGHTS, DetectorFiles
