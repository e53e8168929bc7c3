"""Semantic and panoptic segmentation by words: data, metrics, losses and the segmentor."""
