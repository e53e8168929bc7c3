"""A function that annotates the tasks of CVAT: ``--function-module ovdistill.inference.cvat``.

CVAT's programs import this module, call ``create`` with the parameters of their command line, and
``detect`` with each image. What they expect of a function is described in
``cvat_sdk.auto_annotation.interface``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ovdistill.core.errors import UserError
from ovdistill.core.extras import import_extra
from ovdistill.inference.asked import AUTO, Background, Text
from ovdistill.inference.detection import Detection
from ovdistill.inference.detector import Detector
from ovdistill.inference.formats.outlines import mask_outline, simplify_outline
from ovdistill.inference.formats.parts import whole_pixels
from ovdistill.inference.limits import make_limits
from ovdistill.inference.pretrained import SHIPPED

if TYPE_CHECKING:
    from cvat_sdk.auto_annotation import DetectionFunctionContext
    from cvat_sdk.models import LabeledShapeRequest
    from PIL.Image import Image

SHAPES = ("rectangle", "mask", "polygon")
LONGEST_NAME = 64  # characters that CVAT takes for the name of a label
TOLERANCE = 1.0  # pixels between a polygon and the outline of its mask


def create(
    text: Text,
    model: str = SHIPPED,
    shape: str = "rectangle",
    threshold: float = 0.3,
    background: Background = AUTO,
    device: str | None = None,
) -> CvatFunction:
    """Return the function that CVAT calls with each image.

    Args:
        text: what to look for, see ``Detector.set_vocabulary``. The names are the labels.
        model: see ``Detector.from_pretrained``.
        shape: 'rectangle', 'mask' or 'polygon'.
        threshold: the lowest score where CVAT states none.
        background: what competes, see ``Detector.set_vocabulary``. 'none' is None, which a command
            line has no word for.
        device: see ``Detector``.

    Raises:
        UserError: cvat_sdk is not installed; a shape that does not exist, or that the detector
            does not make; or a name that is too long for CVAT; see also ``Detector``.
    """
    import_extra("cvat_sdk", "cvat")
    detector = Detector.from_pretrained(model, device=device)
    detector.set_vocabulary(text, None if background == "none" else background)
    return CvatFunction(detector, shape, threshold)


class CvatFunction:
    """Detects objects in images, in the form of a detection function of CVAT.

    Args:
        detector: its class names are set; they are the labels.
        shape: see ``create``.
        threshold: see ``create``.

    Attributes:
        spec: the labels, a ``DetectionFunctionSpec``.

    Raises:
        UserError: see ``create``.
    """

    def __init__(
        self, detector: Detector, shape: str = "rectangle", threshold: float = 0.3
    ) -> None:
        if shape not in SHAPES:
            raise UserError(f"got shape {shape!r}; expected one of {', '.join(SHAPES)}")
        if shape != "rectangle" and not detector.engine.model.with_mask:
            raise UserError(f"got shape {shape!r} of a detector without masks; expected rectangle")
        make_limits(threshold, max_dets=1, queries=detector.queries)
        self.detector = detector
        self.shape = shape
        self.threshold = threshold
        self.spec = _spec(detector.queries, shape)

    def detect(self, context: DetectionFunctionContext, image: Image) -> list[LabeledShapeRequest]:
        """Return the objects in an image as shapes of CVAT, best first.

        Args:
            context: states the lowest score, and whether masks are to be polygons.
            image: one of Pillow's.
        """
        given = context.conf_threshold
        lowest = self.threshold if given is None else given
        found = self.detector.predict(image, score_threshold=lowest, keep_regions=False)
        as_polygon = self.shape == "mask" and context.conv_mask_to_poly
        shape = "polygon" if as_polygon else self.shape
        return [_shape(one, shape) for one in found]


def _spec(names: Sequence[str], shape: str) -> Any:
    """Return the labels of CVAT, numbered from 0 as the names are."""
    import cvat_sdk.auto_annotation as cvat

    for name in names:
        if len(name) > LONGEST_NAME:
            raise UserError(
                f"{name!r} has {len(name)} characters; expected at most {LONGEST_NAME} in a label "
                "of CVAT. A file of names gives a short name a long phrase (docs/prompts.md)"
            )
    labels = [cvat.label_spec(name, number, type=shape) for number, name in enumerate(names)]
    return cvat.DetectionFunctionSpec(labels=labels)


def _shape(one: Detection, shape: str) -> LabeledShapeRequest:
    """Return a detection as a shape of CVAT."""
    import cvat_sdk.auto_annotation as cvat
    from cvat_sdk.masks import encode_mask

    if shape == "rectangle":
        return cvat.rectangle(one.label, list(one.box), score=one.score)
    mask = _mask_of(one)
    if shape == "mask":
        return cvat.mask(one.label, encode_mask(mask), score=one.score)
    outline = simplify_outline(mask_outline(mask), TOLERANCE)
    return cvat.polygon(one.label, outline.ravel().tolist(), score=one.score)


def _mask_of(one: Detection) -> np.ndarray:
    """Return the mask of a detection, (H, W) bool; the filled box where the mask is empty."""
    mask = one.mask
    assert mask is not None  # the detector has masks
    if mask.any():
        return mask
    filled = np.zeros_like(mask)
    ((x1, y1, x2, y2),) = whole_pixels(one.boxes, mask.shape).tolist()
    filled[y1:y2, x1:x2] = True
    return filled
