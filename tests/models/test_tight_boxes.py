"""Boxes around masks and enlarged boxes, by hand."""

import pytest
import torch

from ovdistill.models.tight_boxes import clip_boxes, enlarge, tight_boxes


def test_edges_lie_where_the_logits_cross():
    # box of 40 x 80 px, cells of 10 x 20; columns 1-2 and row 2 are the object
    logits = torch.full((1, 4, 4), -1.0)
    logits[0, 2, 1:3] = 1.0
    box = torch.tensor([[100.0, 200.0, 140.0, 280.0]])
    # between +1 and -1 zero is crossed half a cell off the centre
    assert tight_boxes(box, logits, 0.0).tolist() == [[110.0, 240.0, 130.0, 260.0]]
    # at -0.5 it is crossed three quarters of a cell off
    assert tight_boxes(box, logits, -0.5).tolist()[0] == pytest.approx([107.5, 235.0, 132.5, 265.0])


def test_a_mask_that_fills_its_box_keeps_it_and_so_does_an_empty_one():
    box = torch.tensor([[1.0, 2.0, 9.0, 18.0]]).repeat(2, 1)
    logits = torch.stack([torch.full((4, 4), 2.0), torch.full((4, 4), -2.0)])
    assert torch.equal(tight_boxes(box, logits, 0.0), box)
    assert tight_boxes(box[:0], logits[:0], 0.0).shape == (0, 4)


def test_boxes_grow_around_the_centre_and_end_with_the_image():
    boxes = torch.tensor([[10.0, 20.0, 20.0, 40.0], [0.0, 0.0, 30.0, 8.0]])
    large = enlarge(boxes, 2.0)
    assert large.tolist() == [[5, 10, 25, 50], [-15, -4, 45, 12]]
    assert clip_boxes(large, (48, 32, 3)).tolist() == [[5, 10, 25, 48], [0, 0, 32, 12]]
