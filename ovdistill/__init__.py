"""ovdistill: open-vocabulary detectors and instance segmenters distilled from a frozen CLIP.

Importing the package is cheap: it pulls in neither torch nor mmdet. ``ovdistill.models.register``
registers every component with mmdet (configs name it in ``custom_imports``).
"""

__version__ = "0.1.0"
