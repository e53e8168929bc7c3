"""What is compared of two stores' plans: the content of inputs, not how paths are spelled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BOXES = "proposals"  # key of the provenance: kind, source and hash of where the boxes are from
LABELLED = "labelled"  # kind of the labelled boxes of an annotation file


def comparable(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Return provenance without the path of what the boxes are from, where it has a hash.

    The same file may be named from another folder, or lie elsewhere on another machine.
    """
    boxes = provenance.get(BOXES)
    if not isinstance(boxes, Mapping) or not boxes.get("hash"):
        return dict(provenance)
    return {**provenance, BOXES: {**boxes, "source": _without_path(boxes)}}


def comparable_parts(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Return what stores of different images must have in common, see ``comparable``.

    Those of labelled boxes come from different annotation files.
    """
    found = comparable(provenance)
    boxes = found.get(BOXES)
    if isinstance(boxes, Mapping) and boxes.get("kind") == LABELLED:
        found[BOXES] = {"kind": LABELLED, "source": _without_path(boxes)}
    return found


def network_checkpoint(boxes: Mapping[str, Any]) -> str:
    """Return the path of the checkpoint of a proposal network, as a store states it."""
    return str(boxes.get("source")).partition(", ")[2]


def _without_path(boxes: Mapping[str, Any]) -> Any:
    source = str(boxes.get("source"))
    parts = {
        "file": "",  # PATH
        "network": source.partition(", ")[0],  # CONFIG, PATH
        LABELLED: source.rpartition(", ")[2],  # PATH, 48 base categories
    }
    return parts.get(str(boxes.get("kind")), boxes.get("source"))
