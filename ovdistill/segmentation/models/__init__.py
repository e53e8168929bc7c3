"""Segmentors: networks that embed every pixel, and compare it with class names."""
