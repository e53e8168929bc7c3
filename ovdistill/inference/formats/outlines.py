"""Traces a mask as a single polygon, for formats that have one polygon for an object."""

from __future__ import annotations

import cv2
import numpy as np

FEWEST = 3  # points of a polygon


def mask_outline(mask: np.ndarray) -> np.ndarray:
    """Return one polygon that encloses the pixels of a mask, with all its parts and holes.

    The outlines of further parts and of holes are joined to the first one: the polygon runs to the
    nearest point of the other outline, around it, and back on the same line. A program that fills
    it (OpenCV's ``fillPoly``) gets the mask again; between parts, with the line that joins them.

    Args:
        mask: (H, W) bool.

    Returns:
        (k, 2) float: x and y of the middles of outline pixels, in pixels; the upper left pixel is
        (0.5, 0.5). Empty for an empty mask, else at least ``FEWEST`` points.
    """
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    contours = sorted((contour[:, 0] for contour in found), key=len, reverse=True)
    if not contours:
        return np.zeros((0, 2))
    outline = contours[0]
    for contour in contours[1:]:
        outline = _joined(outline, contour)
    if len(outline) < FEWEST:
        outline = np.resize(outline, (FEWEST, 2))  # its points again
    return outline + 0.5


def simplify_outline(outline: np.ndarray, tolerance: float) -> np.ndarray:
    """Return an outline with fewer points, so that it can be corrected by hand.

    Args:
        outline: (k, 2) float, see ``mask_outline``.
        tolerance: how far it may be from the given one, in pixels.

    Returns:
        (k', 2) float; the outline itself where fewer than ``FEWEST`` points would be left of it.
    """
    if not len(outline):
        return outline
    points = cv2.approxPolyDP(outline.astype(np.float32), tolerance, closed=True)[:, 0]
    return points.astype(float) if len(points) >= FEWEST else outline


def _joined(outline: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return an outline that makes a detour around another one, from its nearest point."""
    nearest = [_nearest(outline, point) for point in other]
    distance, start = min((distance, start) for start, (distance, _) in enumerate(nearest))
    here = nearest[start][1]
    detour = [other[start:], other[: start + 1]]  # ends where it began
    return np.concatenate([outline[: here + 1], *detour, outline[here:]])


def _nearest(points: np.ndarray, point: np.ndarray) -> tuple[int, int]:
    """Return the squared distance of the point that is nearest, and its index."""
    squared = ((points - point) ** 2).sum(axis=1)
    index = int(squared.argmin())
    return int(squared[index]), index
