"""The size to which an image is brought."""

from __future__ import annotations

from mmcv.image.geometric import rescale_size

Size = tuple[int, int]


def fitting_size(size: Size, scale: Size, enlarge_within: Size | None = None) -> Size:
    """Return width and height of an image after resizing, at least one pixel each.

    Args:
        size: width and height of the image, pixels.
        scale: two sides that it has to fit into, the longer one for its longer side.
        enlarge_within: an image is enlarged no further than to fit into these two sides; None for
            no such limit. It is never reduced for it.
    """
    found = rescale_size(size, scale)
    if enlarge_within is not None and found[0] > size[0]:
        limit = rescale_size(size, enlarge_within)
        found = min(found, max(limit, size))
    return max(1, found[0]), max(1, found[1])
