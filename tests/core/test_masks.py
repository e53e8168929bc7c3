"""Masks in COCO's run-length encoding."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from pycocotools import mask as coco_mask

from ovdistill.core.masks import decode_mask, encode_masks, rle_to_json, turn_masks


def masks() -> torch.Tensor:
    found = torch.zeros(2, 5, 7, dtype=torch.bool)
    found[0, 1:3, 2:6] = True
    return found


def test_masks_of_every_kind_give_the_same_rles() -> None:
    rles = encode_masks(masks())
    assert [rle["size"] for rle in rles] == [[5, 7], [5, 7]]
    for rle, mask in zip(rles, masks(), strict=True):
        np.testing.assert_array_equal(coco_mask.decode(rle), mask.numpy())
    assert coco_mask.area(rles).tolist() == [8, 0]
    assert encode_masks(masks().numpy()) == rles
    assert encode_masks(masks().numpy().astype(np.uint8)) == rles
    assert encode_masks(rles) == rles
    assert encode_masks(tuple(rles)) == rles


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.float32])
def test_masks_of_a_gpu_give_the_same_rles(dtype: torch.dtype) -> None:
    turned = turn_masks(masks().to(dtype))
    assert turned.flags.f_contiguous and turned.dtype == np.uint8
    assert coco_mask.encode(turned) == encode_masks(masks())
    slices = masks().to(dtype).repeat(1, 1, 2)[:, :, ::2]  # not contiguous
    assert coco_mask.encode(turn_masks(slices)) == encode_masks(slices)


def test_no_masks() -> None:
    assert encode_masks(torch.zeros(0, 5, 7)) == []
    assert encode_masks([]) == []


def test_json_form_is_read_by_pycocotools() -> None:
    (rle, _) = encode_masks(masks())
    form = json.loads(json.dumps(rle_to_json(rle)))
    np.testing.assert_array_equal(coco_mask.decode(form), masks()[0].numpy())


def test_annotations_of_every_kind_are_decoded() -> None:
    expected = masks()[0].numpy()
    (rle, _) = encode_masks(masks())
    # columns 2 to 5 and rows 1 to 2, column by column
    counts = [11, 2, 3, 2, 3, 2, 3, 2, 7]
    polygon = [2, 1, 6, 1, 6, 3, 2, 3]
    for segmentation in (rle, rle_to_json(rle), dict(size=[5, 7], counts=counts), [polygon]):
        np.testing.assert_array_equal(decode_mask(segmentation, (5, 7)), expected)
    two = decode_mask([[0, 0, 1, 0, 1, 1, 0, 1], polygon], (5, 7))
    assert two[0, 0] and two.sum() == expected.sum() + 1
