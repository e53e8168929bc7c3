"""Objectives by name."""

from __future__ import annotations

import pytest

from ovdistill.core.errors import UserError
from ovdistill.teacher_training.objective import EmbeddingObjective
from ovdistill.teacher_training.objectives import ImageTextContrastive
from ovdistill.teacher_training.registry import build_objective, register_objective


def test_an_objective_by_its_name() -> None:
    built = build_objective(dict(type="ImageTextContrastive", weight=0.5))
    assert isinstance(built, ImageTextContrastive) and built.weight == 0.5


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (dict(type="ImageTextContrast"), "did you mean ImageTextContrastive"),
        (dict(type="zzz"), "expected one of: .*ImageTextLabelContrastive"),
        (dict(), "no training objective None"),
        ("ImageTextContrastive", "expected dict"),
        (dict(type="ImageTextContrastive", weight="a"), "weight is 'a'; expected a number"),
        (dict(type="ImageTextContrastive", weight=-1), "weight -1; expected a number of 0 or"),
        (dict(type="ImageTextContrastive", scale=2), "scale"),
    ],
)
def test_bad_options(options: dict, match: str) -> None:
    with pytest.raises(UserError, match=match):
        build_objective(options)


def test_two_classes_of_one_name() -> None:
    other = type("ImageTextContrastive", (EmbeddingObjective,), {"__module__": "another"})
    with pytest.raises(ValueError, match="image_text_contrastive"):
        register_objective(other)
