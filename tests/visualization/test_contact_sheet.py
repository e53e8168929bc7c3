"""A contact sheet has every image at its place, whole and undistorted."""

from __future__ import annotations

import numpy as np
import pytest

from ovdistill.visualization.contact_sheet import GAP, LOST, SIDE, TEXT, Tile, contact_sheet

STEP = SIDE + GAP
BELOW = TEXT + GAP


def flat(colour: tuple[int, int, int], height: int = 40, width: int = 40) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


def middle(sheet: np.ndarray, row: int, column: int) -> tuple[int, ...]:
    y, x = GAP + row * (STEP + BELOW) + SIDE // 2, GAP + column * STEP + SIDE // 2
    return tuple(sheet[y, x].tolist())


def test_tiles_stand_in_rows() -> None:
    colours = [(10 * i, 100, 250 - 10 * i) for i in range(5)]
    sheet = contact_sheet([Tile(flat(c), str(i)) for i, c in enumerate(colours)], columns=2)
    assert sheet.shape == (GAP + 3 * (STEP + BELOW), GAP + 2 * STEP, 3)
    for number, colour in enumerate(colours):
        assert middle(sheet, *divmod(number, 2)) == colour


@pytest.mark.parametrize("shape", [(10, 2000), (2000, 10), (1, 1), (3, 2), (160, 160)])
def test_an_image_keeps_its_form(shape: tuple[int, int]) -> None:
    sheet = contact_sheet([Tile(flat((255, 0, 0), *shape), "")])
    red = (sheet == (255, 0, 0)).all(axis=-1)
    rows, columns = red.any(axis=1).sum(), red.any(axis=0).sum()
    assert 1 <= rows <= SIDE and 1 <= columns <= SIDE
    if min(shape) > 9:
        assert max(rows, columns) == SIDE
    expected = min(SIDE / max(shape), 8)
    assert abs(rows - max(1, shape[0] * expected)) <= 1
    assert abs(columns - max(1, shape[1] * expected)) <= 1


def test_a_tile_without_an_image_is_grey_and_has_its_note() -> None:
    def grey(note: str) -> int:
        sheet = contact_sheet([Tile(None, "1.", note)])
        return int((sheet == LOST).all(axis=-1).sum())

    assert SIDE * SIDE == grey("") > grey("a/path.png") > grey("a/very/long/path" * 9) > 0


def test_titles_are_drawn_and_do_not_move_the_grid() -> None:
    plain = contact_sheet([Tile(flat((1, 2, 3)), "")])
    named = contact_sheet([Tile(flat((1, 2, 3)), "1.  0.932")])
    assert plain.shape == named.shape and (plain != named).any()
    headed = contact_sheet([Tile(flat((1, 2, 3)), "")], "a very long title " * 20)
    assert headed.shape[0] > plain.shape[0] and headed.shape[1] == plain.shape[1]
