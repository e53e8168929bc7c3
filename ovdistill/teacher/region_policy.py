"""How a teacher embeds regions: by crops, or from one pass over the image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from types import NoneType
from typing import Any

from ovdistill.core.errors import UserError
from ovdistill.teacher.crops import CropPolicy
from ovdistill.teacher.dense_regions import MODE, DenseRegions

RegionPolicy = CropPolicy | DenseRegions
CROPS = "crops"
POLICIES: dict[str, type[CropPolicy] | type[DenseRegions]] = {CROPS: CropPolicy, MODE: DenseRegions}


def region_policy(arguments: RegionPolicy | Mapping[str, Any] | None) -> RegionPolicy:
    """Return the policy that a config describes.

    Args:
        arguments: a policy, or ``mode`` ('crops', the default, or 'dense') and the arguments of
            ``CropPolicy`` or ``DenseRegions``; None for crops at 1x and 1.5x. Arguments of the
            other mode have no effect: a config that inherits crops can choose 'dense'.

    Raises:
        UserError: another mode, an argument that neither mode has, or an impossible value.
    """
    if isinstance(arguments, (CropPolicy, DenseRegions)):
        return arguments
    if not isinstance(arguments, (Mapping, NoneType)):
        raise UserError(f"got crops={arguments!r:.100}; expected dict(...) of a mode's arguments")
    given = dict(arguments or {})
    mode = given.pop("mode", CROPS)
    if mode not in POLICIES:
        raise UserError(f"crops of mode {mode!r}; expected one of: {', '.join(POLICIES)}")
    known = {name: [own.name for own in fields(policy)] for name, policy in POLICIES.items()}
    if unknown := given.keys() - {name for names in known.values() for name in names}:
        expected = "; ".join(f"mode {name!r}: {', '.join(names)}" for name, names in known.items())
        raise UserError(f"crops with {sorted(unknown)[0]!r}; expected {expected}")
    own = {name: value for name, value in given.items() if name in known[mode]}
    return POLICIES[mode](**own)


def describe(policy: RegionPolicy) -> dict[str, Any]:
    """Return a policy as plain JSON values that always state the mode, to compare two of them."""
    return {"mode": CROPS, **policy.to_dict()}
