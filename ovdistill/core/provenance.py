"""Record where a result comes from: inputs, versions of the libraries, date."""

from __future__ import annotations

import platform
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ovdistill.core.version import VERSION

LIBRARIES = ("torch", "torchvision", "open_clip_torch", "numpy", "pycocotools", "hotcoco")
# import name -> distributions that provide it, the recommended one first
STACK = {
    "mmengine": ("onedl-mmengine", "mmengine"),
    "mmcv": ("onedl-mmcv", "mmcv"),
    "mmdet": ("onedl-mmdetection", "mmdet"),
}


def provenance(
    config: str | None = None,
    checkpoint: str | None = None,
    vocabulary: str | None = None,
    evaluator: str | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Return the inputs, library versions and date (UTC) of a result, as plain JSON values.

    Args:
        config: path of the config.
        checkpoint: path of the checkpoint.
        vocabulary: path of the vocabulary file, or a description.
        evaluator: ``OVMetric.evaluator_version``.
        more: anything else that JSON can hold (teacher, seed, subset, ...).
    """
    libraries = {name: installed_version(name) for name in LIBRARIES}
    libraries |= {name: installed_version(*others) for name, others in STACK.items()}
    return {
        "config": config,
        "checkpoint": checkpoint,
        "vocabulary": vocabulary,
        "evaluator": evaluator,
        **more,
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "ovdistill": VERSION,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "libraries": libraries,
    }


def installed_version(*distributions: str) -> str | None:
    """Return "name version" of the first installed one of these distributions, or None."""
    for name in distributions:
        try:
            return f"{name} {version(name)}"
        except PackageNotFoundError:
            continue
    return None
