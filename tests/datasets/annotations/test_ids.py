"""One number for an image, however a file spells its id."""

import math

import pytest

from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations.ids import HASHED, MAX_ID, image_number


@pytest.mark.parametrize("value", [12, 12.0, "12", " 12 ", "0012", "12.0", "١٢"])
def test_spellings_of_a_number(value):
    assert image_number(value) == 12 and type(image_number(value)) is int


@pytest.mark.parametrize("value", [0, 1, MAX_ID - 1])
def test_numbers_in_range_stay(value):
    assert image_number(value) == value


@pytest.mark.parametrize(
    "value",
    [
        *("site_1", "ä", "\ud800", -1, MAX_ID, 10**400, 3.5, 1e300, "1_0"),
        *("12e4", "0e1", "+12", ".0", "12.5", str(MAX_ID)),
    ],
)
def test_others_get_a_number_of_their_own(value):
    assert HASHED <= image_number(value) < MAX_ID
    assert image_number(value) == image_number(value) == image_number(str(value))


def test_short_hexadecimal_ids_are_told_apart():
    assert len({image_number(value) for value in ("0", "0e1", "0e2", "00e1")}) == 4


def test_the_number_of_a_text_never_changes():
    # stores on disk hold it
    assert image_number("site_1") == 6555722254283734


@pytest.mark.parametrize("value", [None, True, False, [], {}, "", math.nan, math.inf])
def test_what_is_no_id(value):
    with pytest.raises(UserError, match="id"):
        image_number(value)
