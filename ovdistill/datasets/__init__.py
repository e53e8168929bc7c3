"""Data sets in COCO or LVIS format with base and novel classes, and the transforms for them."""
