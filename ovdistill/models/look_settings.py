"""Settings of what a RoI head does with the boxes that it has found: ``test_cfg`` of a config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, TypeVar

from ovdistill.core.argument_types import check_arguments
from ovdistill.core.errors import UserError
from ovdistill.core.text import did_you_mean


@dataclass(frozen=True)
class MaskBoxes:
    """How masks correct boxes, ``test_cfg.mask_boxes``.

    Attributes:
        expand: factor by which the sides of a box grow before a mask is predicted in it.
        threshold: a cell whose mask logit is above it belongs to the object.
        share: of the box around these cells in the corrected box, in [0, 1]; the rest is of the
            regressed box.
    """

    expand: float = 1.15
    threshold: float = -0.5
    share: float = 0.5


@dataclass(frozen=True, kw_only=True)
class SecondLook:
    """How boxes are scored once more, ``test_cfg.second_look``.

    Attributes:
        iou: of two boxes that overlap by a higher IoU, the less certain one is dropped.
        most: the largest number of boxes of an image.
        share: of the second look in the names, in [0, 1], see ``rename``.
        quality: exponent of the predicted IoU of the boxes, by which scores are multiplied.
    """

    iou: float
    most: int
    share: float = 0.5
    quality: float = 1.0


T = TypeVar("T", MaskBoxes, SecondLook)


def read_settings(settings: type[T], test_cfg: Mapping[str, Any], name: str) -> T | None:
    """Return the settings that an entry of ``test_cfg`` describes; None where it is empty.

    Args:
        settings: their class.
        test_cfg: of a RoI head.
        name: of the entry.

    Raises:
        UserError: a key that nothing reads, one that is missing, or a value of another type.
    """
    options = test_cfg.get(name)
    if not options:
        return None
    known = [field.name for field in fields(settings)]
    place = f"test_cfg.rcnn.{name}"
    if not isinstance(options, Mapping):
        raise UserError(f"{place} is {options!r:.100}; expected dict(...) of {', '.join(known)}")
    if unknown := [key for key in options if key not in known]:
        hint = did_you_mean(unknown[0], known, f"expected {', '.join(known)}")
        raise UserError(f"{place}.{unknown[0]} is read by nothing; {hint}")
    needed = [field.name for field in fields(settings) if field.default is MISSING]
    if missing := [key for key in needed if key not in options]:
        raise UserError(f"{place} has no {' and no '.join(missing)}; expected {', '.join(needed)}")
    check_arguments(settings, options, place)
    return settings(**options)
