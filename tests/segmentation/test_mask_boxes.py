"""Boxes around masks, and masks on a coarse grid."""

from __future__ import annotations

import torch

from ovdistill.segmentation.mask_boxes import mask_boxes, shares_of_grid


def test_boxes_are_the_smallest_and_an_empty_mask_has_an_empty_one():
    masks = torch.zeros(3, 4, 6, dtype=torch.bool)
    masks[0, 1, 2] = masks[0, 3, 5] = True
    masks[1] = True
    first, second, empty = mask_boxes(masks)
    assert first == (slice(1, 4), slice(2, 6)) and second == (slice(0, 4), slice(0, 6))
    assert masks[2][empty].numel() == 0
    assert mask_boxes(masks[:0]) == []


def test_shares_are_areas_and_padding_has_none():
    """An image of 4 x 6 pixels, enlarged to 8 x 12 of an input of 16 x 16: cells of 2 x 2."""
    meta = dict(ori_shape=(4, 6), img_shape=(8, 12), batch_input_shape=(16, 16))
    masks = torch.zeros(2, 4, 6, dtype=torch.bool)
    masks[0, :3, 1:] = True
    found = shares_of_grid(masks, (4, 4), meta)
    expected = torch.tensor([[0.5, 1.0, 1.0, 0.0], [0.25, 0.5, 0.5, 0.0]])
    torch.testing.assert_close(found[0, :2], expected)
    assert found[0, 2:].abs().sum() == found[1].abs().sum() == 0


def test_cells_that_end_within_a_pixel_share_it():
    """Five pixels on two cells, of which the second ends in the padding."""
    meta = dict(ori_shape=(1, 5), img_shape=(1, 5), batch_input_shape=(1, 8))
    mask = torch.tensor([[[False, False, False, True, True]]])
    torch.testing.assert_close(shares_of_grid(mask, (1, 2), meta), torch.tensor([[[0.25, 0.25]]]))


def test_no_pixel_of_a_mask_is_lost():
    meta = dict(ori_shape=(37, 53), img_shape=(70, 101), batch_input_shape=(96, 128))
    masks = torch.rand(5, 37, 53, generator=torch.Generator().manual_seed(0)) < 0.3
    areas = shares_of_grid(masks, (6, 8), meta).sum(dim=(1, 2))
    cell = (37 / 70 * 96 / 6) * (53 / 101 * 128 / 8)  # pixels of the image
    torch.testing.assert_close(areas * cell, masks.float().sum(dim=(1, 2)))
