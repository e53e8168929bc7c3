"""The header of a model card is one that the model hub reads."""

from __future__ import annotations

import pytest
import yaml

from ovdistill.inference.model_card import DETECTOR, model_card

from ..batches import make_vocabulary


@pytest.mark.parametrize(
    "license, expected",
    [
        ("", {}),
        ("Apache-2.0", {"license": "apache-2.0"}),
        ("GPL-3.0-only", {"license": "other", "license_name": "gpl-3.0-only"}),
        ("mine:", {"license": "other", "license_name": "mine:"}),
        ("You may\nlook.\n", {"license": "other"}),
    ],
)
def test_a_licence_is_one_of_the_hub_or_other(license: str, expected: dict[str, str]) -> None:
    card = model_card(DETECTOR, "x", make_vocabulary(2), {}, license)
    header = yaml.safe_load(card.split("---\n")[1])
    assert {key: value for key, value in header.items() if "license" in key} == expected
