"""Metrics of semantic and panoptic segmentation; their arithmetic needs numpy alone."""
