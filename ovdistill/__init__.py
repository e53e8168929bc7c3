"""ovdistill: open-vocabulary detectors and instance segmenters distilled from a frozen CLIP.

    from ovdistill import Detector

    detector = Detector.from_pretrained("ovshapes")
    detections = detector.predict("image.png", "red star, outlined heart")

Importing the package is cheap: torch and mmdet are imported when ``Detector`` is asked for.
``ovdistill.models.register`` registers every component with mmdet (configs name it in
``custom_imports``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ovdistill.core.version import VERSION

if TYPE_CHECKING:
    from ovdistill.inference.detections import Detections
    from ovdistill.inference.detector import Detector
    from ovdistill.inference.onnx_detector import OnnxDetector
    from ovdistill.inference.search.index import Index
    from ovdistill.inference.segmentation_result import SegmentationResult
    from ovdistill.inference.segmentor import Segmentor

__version__ = VERSION
__all__ = [
    "Detections",
    "Detector",
    "Index",
    "OnnxDetector",
    "SegmentationResult",
    "Segmentor",
    "__version__",
]


def __getattr__(name: str) -> Any:
    """Return a class of ``__all__``, imported at its first use (PEP 562)."""
    if name == "Detector":
        from ovdistill.inference.detector import Detector

        return Detector
    if name == "Detections":
        from ovdistill.inference.detections import Detections

        return Detections
    if name == "OnnxDetector":
        from ovdistill.inference.onnx_detector import OnnxDetector

        return OnnxDetector
    if name == "Index":
        from ovdistill.inference.search.index import Index

        return Index
    if name == "Segmentor":
        from ovdistill.inference.segmentor import Segmentor

        return Segmentor
    if name == "SegmentationResult":
        from ovdistill.inference.segmentation_result import SegmentationResult

        return SegmentationResult
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
