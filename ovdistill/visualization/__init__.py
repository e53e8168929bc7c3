"""Draws detections on images, with labels that do not cover one another."""
