"""Ways to crop as text: "clip:1", "square:1+1.5", and "own" for the teacher's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ovdistill.core.errors import UserError
from ovdistill.teacher import CropPolicy

OWN = "own"
# those of the recipes and of the papers (docs/regions.md), and both sides resized
USUAL = (OWN, "clip:1", "clip:1+1.5", "square:1", "square:1+1.5", "pad:1", "squash:1")


def crop_policies(texts: Sequence[str], own: CropPolicy) -> dict[str, CropPolicy]:
    """Return crop policies by name, in the order of the texts, each once.

    Args:
        texts: SHAPE:SCALE, SHAPE:SCALE+SCALE, or 'own'; none of them for ``USUAL``.
        own: the teacher's policy, whose other arguments all of them take.

    Raises:
        UserError: a text that is none of these.
    """
    policies = [own if text == OWN else _parse(text, own) for text in texts or USUAL]
    return {name_policy(policy): policy for policy in policies}


def name_policy(policy: CropPolicy) -> str:
    """Return shape and scales of a policy as text, such as "square:1+1.5"."""
    return f"{policy.shape}:{'+'.join(f'{scale:g}' for scale in policy.scales)}"


def _parse(text: str, own: CropPolicy) -> CropPolicy:
    shape, _, scales = text.partition(":")
    try:
        return replace(own, shape=shape, scales=tuple(map(float, scales.split("+"))))
    except ValueError:
        raise UserError(
            f"got --crops {text!r:.60}; expected SHAPE:SCALES such as clip:1 or square:1+1.5, or "
            f"{OWN!r}"
        ) from None
