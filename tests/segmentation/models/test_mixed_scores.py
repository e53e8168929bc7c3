"""The scores of names at pixels, from masks and from the pixel head."""

from __future__ import annotations

import torch

from ovdistill.segmentation.best_names import best_names, to_original
from ovdistill.segmentation.models.mixed_scores import MixedScores


def test_masks_claim_what_they_are_sure_of():
    """One row of pixels: two masks, one, none."""
    masks = torch.tensor([[[True, True, False]], [[True, False, False]]])
    scores = torch.tensor([[0.6, 0.2], [0.1, 0.3]])  # objects with 0.8 and 0.4
    grid = torch.tensor([0.3, 0.7])[:, None, None].expand(2, 1, 3)
    meta = dict(batch_input_shape=(1, 3), img_shape=(1, 3), ori_shape=(1, 3))
    found = MixedScores(masks, scores, grid, meta)(slice(0, 2))[:, 0].T
    both = torch.tensor([0.7, 0.5]) / 1.2 * 0.8 + 0.2 * torch.tensor([0.3, 0.7])
    one = torch.tensor([0.6, 0.2]) + 0.2 * torch.tensor([0.3, 0.7])
    torch.testing.assert_close(found, torch.stack([both, one, torch.tensor([0.3, 0.7])]))
    torch.testing.assert_close(found.sum(dim=1), torch.ones(3))


def whole_image_at_once(masks, scores, grid, meta, names):
    """The same by its formula, with every mask as floats over the whole image."""
    pixels = to_original(grid[names], meta)
    objects = scores.sum(dim=1).clamp(max=1)[:, None, None] * masks
    claimed, together = objects.amax(dim=0), objects.sum(dim=0)
    of_masks = torch.einsum("nc,nyx->cyx", scores[:, names], masks.float())
    return claimed * of_masks / together.clamp(min=1e-6) + (1 - claimed) * pixels


def test_a_few_names_and_masks_at_a_time_give_the_same_labels():
    random = torch.Generator().manual_seed(0)
    meta = dict(batch_input_shape=(64, 96), img_shape=(60, 90), ori_shape=(40, 60))
    for count in (1, 12):
        masks = torch.zeros(count, 40, 60, dtype=torch.bool)
        for mask in masks[1:]:  # the first one is empty
            y, x = (int(torch.randint(side, (), generator=random)) for side in (30, 50))
            part = mask[y : y + 20, x : x + 25]
            part |= torch.rand(part.shape, generator=random) < 0.7
        scores = torch.rand(count, 9, generator=random).softmax(dim=1) * 0.9
        grid = torch.rand(9, 16, 24, generator=random).mul(5).softmax(dim=0)
        given = (masks, scores, grid, meta)
        labels, best = best_names(MixedScores(*given), 9, 40 * 60, most=2 * 40 * 60)
        whole, old = whole_image_at_once(*given, slice(0, 9)).max(dim=0)
        torch.testing.assert_close(best, whole)
        assert torch.equal(labels, old)


def test_without_masks_the_pixel_head_names_everything():
    meta = dict(batch_input_shape=(8, 8), img_shape=(8, 8), ori_shape=(8, 8))
    grid = torch.rand(3, 8, 8)
    found = MixedScores(torch.zeros(0, 8, 8) > 0, torch.zeros(0, 3), grid, meta)
    assert torch.equal(found(slice(1, 3)), grid[1:3])
