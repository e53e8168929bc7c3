"""Ways to crop as text: "clip:1", "square:1+1.5", "dense:1024", "dense:1024:3" or "own"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ovdistill.core.errors import UserError
from ovdistill.teacher import CropPolicy, DenseRegions, RegionPolicy
from ovdistill.teacher.dense_regions import MODE

OWN = "own"
# those of the recipes and of the papers (docs/regions.md), and both sides resized
USUAL = (OWN, "clip:1", "clip:1+1.5", "square:1", "square:1+1.5", "pad:1", "squash:1")


def crop_policies(texts: Sequence[str], own: RegionPolicy) -> dict[str, RegionPolicy]:
    """Return ways to embed regions by name, in the order of the texts, each once.

    Args:
        texts: SHAPE:SCALE, SHAPE:SCALE+SCALE, dense:PIXELS, dense:PIXELS:STAGE, or
            'own' for the teacher's; none for ``USUAL``.
        own: the teacher's policy, whose other arguments all crops take.

    Raises:
        UserError: a text that is none of these.
    """
    policies = [own if text == OWN else _parse(text, own) for text in texts or USUAL]
    return {name_policy(policy): policy for policy in policies}


def name_policy(policy: RegionPolicy) -> str:
    """Return a policy as text, such as "square:1+1.5" or "dense:1024"."""
    if isinstance(policy, DenseRegions):
        stage = "" if policy.stage is None else f":{policy.stage}"
        return f"{MODE}:{policy.size}{stage}"
    return f"{policy.shape}:{'+'.join(f'{scale:g}' for scale in policy.scales)}"


def _parse(text: str, own: RegionPolicy) -> RegionPolicy:
    shape, _, values = text.partition(":")
    try:
        if shape == MODE:
            return DenseRegions(*map(int, values.split(":", maxsplit=1)))
        crops = own if isinstance(own, CropPolicy) else CropPolicy()
        return replace(crops, shape=shape, scales=tuple(map(float, values.split("+"))))
    except ValueError:
        raise UserError(
            f"got --crops {text!r:.60}; expected SHAPE:SCALES such as clip:1 or square:1+1.5, "
            f"{MODE}:PIXELS such as {MODE}:1024, {MODE}:PIXELS:STAGE, or {OWN!r}"
        ) from None
