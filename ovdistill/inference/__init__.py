"""Runs a trained detector on images, with any class names, from Python."""
